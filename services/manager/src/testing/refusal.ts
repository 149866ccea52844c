import { CausewayError, type ErrorCode } from '@causeway/model';
import { expect } from 'vitest';
import type { PlanHarness } from './plan-harness.ts';

/** A row of a table of what is refused: `says` is what the message must name, the thing at fault and what would be right. */
export type Refused<Asked> = readonly [name: string, asked: Asked, code: ErrorCode, says: RegExp];

/** What the attempt throws, which must be an error of ours. */
export function refusal(attempt: () => unknown): CausewayError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof CausewayError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

/** Refused so, and nothing written. */
export function expectRefused(desk: PlanHarness, attempt: () => unknown, code: ErrorCode, says: RegExp): void {
  const before = desk.view.revision;
  const error = refusal(attempt);
  expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(says) });
  expect(desk.view.revision).toBe(before);
}
