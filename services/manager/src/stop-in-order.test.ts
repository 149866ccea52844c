import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { stopInOrder } from './stop-in-order.ts';

test('each step has its turn, whatever became of the one before, and none is waited for longer than its limit', async () => {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const began: [string, number][] = [];
  const step = (name: string, limit: number, work: () => Promise<void>) => ({
    name,
    limit: milliseconds(limit),
    stop: () => {
      began.push([name, clock.now()]);
      return work();
    },
  });
  const start = clock.now();
  const stopping = stopInOrder({ clock, log }, [
    step('quick', 1_000, () => clock.sleep(milliseconds(20))),
    step('hangs', 500, () => new Promise(() => undefined)),
    step('fails', 1_000, () => Promise.reject(new Error('no'))),
    step('last', 1_000, async () => undefined),
  ]);
  await clock.until(stopping, seconds(10));
  expect(began.map(([name, at]) => [name, at - start])).toEqual([
    ['quick', 0],
    ['hangs', 20],
    ['fails', 520],
    ['last', 520],
  ]);
  expect(log.lines.map(({ event, fields }) => [event, fields['step']])).toEqual([
    ['manager.stop-late', 'hangs'],
    ['manager.stop-failed', 'fails'],
  ]);
});
