import { expect, test } from 'vitest';
import type { Injection } from '../faults/floors.ts';
import { lateReads, type Read } from './reads.ts';

const fault = (host: 'h1' | 'h2', from: number, to: number, target: Injection['target'] = 'both'): Injection => {
  const seen = { ended: 1, stopped: 0, dropped: 0, metLeader: false };
  return { kind: 'kill', target, host, name: '', from, to, ...seen };
};
const slow: Read = { call: 10_000, end: 12_001 };

test.each<[string, Read, readonly Injection[], boolean]>([
  ['one that was quick', { call: 10_000, end: 12_000 }, [], false],
  ['one that was slow', slow, [], true],
  ['one that failed at once', { call: 10_000, end: 10_001, failure: 'not-leader' }, [], true],
  ['one host was hit', slow, [fault('h1', 9_000, 13_000)], true],
  ['one host was hit twice', slow, [fault('h1', 9_000, 10_500), fault('h1', 10_000, 13_000)], true],
  ['two hosts were hit: no majority', slow, [fault('h1', 9_000, 10_500), fault('h2', 11_000, 13_000)], false],
  ['two hosts were hit a moment before', slow, [fault('h1', 5_000, 8_000), fault('h2', 5_000, 8_000)], false],
  ['two hosts were hit long before', slow, [fault('h1', 1_000, 6_000), fault('h2', 1_000, 6_000)], true],
  [
    'the second was hit after the limit',
    { call: 10_000, end: 15_000 },
    [fault('h1', 9_000, 13_000), fault('h2', 12_500, 13_000)],
    true,
  ],
  ['agents were hit', slow, [fault('h1', 9_000, 13_000, 'agent'), fault('h2', 9_000, 13_000, 'agent')], true],
])('%s', (_, read, injections, late) => {
  expect(lateReads([read], injections, 2_000)).toEqual(late ? [read] : []);
});
