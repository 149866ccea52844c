import { expect } from 'vitest';
import type { Evidence } from '../evidence.ts';
import { judge, type Verdict } from '../verdict.ts';
import { born, call, type Deed, deed, done, gone, warm } from './story.ts';

export const clean: Verdict = {
  incomplete: [],
  notLinearizable: [],
  inconsistent: [],
  lost: [],
  unasked: [],
  leaked: [],
  unexplained: [],
};

export type Wrong = Partial<Record<keyof Verdict, readonly RegExp[]>>;

export function expectVerdict(evidence: Evidence, wrong: Wrong): void {
  const matching = Object.entries(wrong).map(([kind, all]) => [kind, all.map((one) => expect.stringMatching(one))]);
  expect(judge(evidence)).toEqual({ ...clean, ...Object.fromEntries(matching) });
}

export const a = { name: 'a', ip: '10.0.0.2' };

export const b = { name: 'b', ip: '10.0.0.2' };

export const other = { name: 'b', ip: '10.0.0.3' };

/** The claim and release of another worker, so that a run is not empty. */
export const bystander: readonly Deed[] = [
  deed(call('claim', 'z', [-5, -4], done('n 10.0.0.9')), born({ name: 'z', ip: '10.0.0.9' })),
  deed(call('release', 'z', [-3, -2], done('n 10.0.0.9')), gone({ name: 'z', ip: '10.0.0.9' })),
  deed(warm('10.0.0.9')),
];
