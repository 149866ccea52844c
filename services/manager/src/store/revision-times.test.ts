import { milliseconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, expect, test } from 'vitest';
import { RevisionTimes } from './revision-times.ts';

let clock: FakeClock;
let times: RevisionTimes;
let began: number;

beforeEach(() => {
  clock = new FakeClock();
  times = new RevisionTimes(clock, { mostSamples: 3 });
  began = clock.wall();
});

const snapshot = (revision: bigint): void => times.follow([{ kind: 'reset', revision }]);
const change = (revision: bigint): void => times.follow([{ kind: 'cluster', revision }]);
/** Milliseconds since the start. */
const timeOf = (revision: bigint): number | undefined => {
  const time = times.timeOf(revision);
  return time === undefined ? undefined : time - began;
};

test('what was there at the start has no time, what came since has', async () => {
  snapshot(10n);
  await clock.advance(milliseconds(5_000));
  change(12n);
  expect([9n, 10n, 11n, 12n, 13n].map(timeOf)).toEqual([undefined, undefined, 5_000, 5_000, undefined]);
});

test('revisions within a second share its time, and the one that comes long after does not date them', async () => {
  snapshot(10n);
  change(11n);
  await clock.advance(milliseconds(999));
  change(12n);
  await clock.advance(milliseconds(1));
  change(13n);
  await clock.advance(milliseconds(3_600_000));
  change(14n);
  expect([11n, 12n, 13n, 14n].map(timeOf)).toEqual([0, 0, 1_000, 3_601_000]);
});

test('the oldest samples are dropped, and the times of their revisions are unknown again', async () => {
  snapshot(10n);
  for (const revision of [11n, 12n, 13n, 14n]) {
    change(revision);
    await clock.advance(milliseconds(1_000));
  }
  expect([10n, 11n, 12n, 13n, 14n].map(timeOf)).toEqual([undefined, undefined, 1_000, 2_000, 3_000]);
});

test('what a later snapshot brings passed unseen; what was seen before stays known', async () => {
  snapshot(10n);
  change(11n);
  snapshot(20n);
  await clock.advance(milliseconds(500));
  change(21n);
  expect([11n, 12n, 20n, 21n].map(timeOf)).toEqual([0, undefined, undefined, 500]);
});

test('a snapshot that leads back is another history', () => {
  snapshot(10n);
  change(11n);
  snapshot(5n);
  expect([5n, 11n].map(timeOf)).toEqual([undefined, undefined]);
  change(6n);
  expect([5n, 6n].map(timeOf)).toEqual([undefined, 0]);
});

test('a clock that is set back begins a sample of its own', async () => {
  let wall = 10_000;
  times = new RevisionTimes({ wall: () => wall });
  times.follow([{ kind: 'cluster', revision: 1n }]);
  wall = 4_000;
  times.follow([{ kind: 'cluster', revision: 2n }]);
  expect([times.timeOf(1n), times.timeOf(2n)]).toEqual([10_000, 4_000]);
});
