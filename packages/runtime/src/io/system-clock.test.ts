import { expect, test } from 'vitest';
import { milliseconds } from '../duration.ts';
import { systemClock } from './system-clock.ts';

test('a sleep is never over before its time', async () => {
  const early: number[] = [];
  const sleeps = Array.from({ length: 400 }, async (_, i) => {
    const span = milliseconds(1 + i / 7);
    const until = systemClock.now() + span;
    await systemClock.sleep(span);
    const now = systemClock.now();
    if (now < until) early.push(until - now);
  });
  await Promise.all(sleeps);
  expect(early).toEqual([]);
});

test('an abort ends it at once', async () => {
  const abort = new AbortController();
  const began = systemClock.now();
  const sleep = systemClock.sleep(milliseconds(60_000), abort.signal);
  abort.abort();
  await sleep;
  expect(systemClock.now() - began).toBeLessThan(10_000);
  await systemClock.sleep(milliseconds(60_000), abort.signal);
});
