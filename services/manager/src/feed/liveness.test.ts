import { expect, test } from 'vitest';
import { helloLimit, isSilent, Looks, lookEvery, returnWithin, silenceLimit } from './liveness.ts';
import type { SessionState } from './session.ts';

test.each<[string, readonly number[], readonly boolean[]]>([
  ['on time', [lookEvery, lookEvery, lookEvery], [true, true, true]],
  ['a little late', [lookEvery, lookEvery + 400], [true, true]],
  ['after a stall of the manager', [lookEvery, lookEvery + 7_000, lookEvery], [true, false, true]],
  ['after one stall and another', [lookEvery, lookEvery + 7_000, lookEvery + 7_000], [true, false, true]],
  ['while the manager stalls all the time', [9_000, 9_000, 9_000, 9_000, 9_000], [true, false, true, false, true]],
])('looks for silent sessions that count: %s', (_name, pauses, counts) => {
  const looks = new Looks();
  let now = 0;
  const found = pauses.map((pause) => {
    now += pause;
    return looks.counts(now);
  });
  expect(found).toEqual(counts);
});

test.each<[string, SessionState, number, boolean]>([
  ['before its Hello, at the limit', { kind: 'connected' }, helloLimit, false],
  ['before its Hello, after the limit', { kind: 'connected' }, helloLimit + 1, true],
  ['after its Hello, at the limit', { kind: 'introduced' }, silenceLimit, false],
  ['after its Hello, after the limit', { kind: 'introduced' }, silenceLimit + 1, true],
])('an agent is silent for too long: %s', (_, state, after, isTooLong) => {
  expect(isSilent({ lastHeard: 1_000, state }, 1_000 + after)).toBe(isTooLong);
});

test.each([
  [0, 0],
  [25, 150],
  [1_000, 6_000],
  [5_000, 30_000],
  [20_000, 30_000],
])('the agents of %i hosts come back within %i ms', (hosts, span) => {
  expect(returnWithin(hosts)).toBe(span);
});
