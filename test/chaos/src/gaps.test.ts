import { expect, test } from 'vitest';
import { longestGap, quantile } from './gaps.ts';
import type { Entry } from './load/journal.ts';

const success = (end: number): Entry => {
  return { act: 'claim', name: `${end}`, call: end - 1, end, outcome: { kind: 'done', held: [] } };
};

test.each<[string, readonly Entry[], number]>([
  ['between two successes', [success(10), success(20), success(70), success(95)], 50],
  ['up to the first', [success(60), success(61)], 60],
  ['from the last on', [success(5), success(20)], 80],
  ['all of it', [], 100],
  [
    'only claims that were done end it',
    [
      success(10),
      { ...success(40), act: 'release' },
      { ...success(50), outcome: { kind: 'unknown', code: 'timed-out' } },
      success(90),
    ],
    80,
  ],
])('the longest time without a claim: %s', (_, journal, gap) => {
  expect(longestGap(journal, 0, 100)).toBe(gap);
});

test('quantiles', () => {
  expect([0, 0.5, 0.9, 1].map((share) => quantile([3, 1, 2], share))).toEqual([1, 2, 3, 3]);
});
