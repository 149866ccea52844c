import { expect, test } from 'vitest';
import type { Entry } from '../load/journal.ts';
import type { Injection } from './floors.ts';
import { impactsOf } from './impacts.ts';

const claim = (end: number): Entry => {
  return { act: 'claim', name: `${end}`, call: end - 1, end, outcome: { kind: 'done', held: ['n 10.0.0.2'] } };
};
const injection = (kind: Injection['kind'], from: number, to: number): Injection => {
  const seen = { ended: 1, stopped: 0, dropped: 0, metLeader: false };
  return { kind, target: 'both', host: 'h1', name: '', from, to, ...seen };
};

test('of each kind, what its faults cost beside and shortly after', () => {
  const everySecond = Array.from({ length: 100 }, (_, i) => i * 1_000).filter((at) => at < 20_000 || at > 27_000);
  const reads = [
    { call: 500, end: 600 },
    { call: 21_000, end: 25_000, failure: 'timed-out' },
    { call: 60_000, end: 61_500 },
  ];
  const kills = [injection('kill', 20_000, 24_000), injection('kill', 60_000, 61_000)];
  expect(impactsOf([...kills, injection('loss', 70_000, 71_000)], everySecond.map(claim), reads)).toEqual([
    {
      kind: 'kill',
      count: 2,
      claims: { p50: 7_000, longest: 7_000 },
      reads: { p50: 4_000, longest: 4_000, failed: 1 },
    },
    {
      kind: 'loss',
      count: 1,
      claims: { p50: 1_000, longest: 1_000 },
      reads: { p50: 0, longest: 0, failed: 0 },
    },
  ]);
});
