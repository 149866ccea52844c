import { CausewayError, type ErrorCode } from '@causeway/model';
import { expect } from 'vitest';
import type { PlanHarness } from './plan-harness.ts';

/** A row of a table of refusals. `says`: what the message must name, namely the fault and what would be right. */
export type Refused<Asked> = readonly [name: string, asked: Asked, code: ErrorCode, says: RegExp];

/** The error that the attempt throws; it must be a CausewayError. */
export function refusal(attempt: () => unknown): CausewayError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof CausewayError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

/** Expects that the attempt is refused with this code and message, and that nothing is written. */
export function expectRefused(desk: PlanHarness, attempt: () => unknown, code: ErrorCode, says: RegExp): void {
  const before = desk.view.revision;
  const error = refusal(attempt);
  expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(says) });
  expect(desk.view.revision).toBe(before);
}
