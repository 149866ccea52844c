import type { RequestId } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { UnresolvedCalls } from './unresolved-calls.ts';

const id = (n: number): RequestId => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as RequestId;

test('a call is in doubt until its outcome is known, or as long as outcomes are kept', async () => {
  const clock = new FakeClock();
  const calls = new UnresolvedCalls({ clock });
  calls.resent(id(1));
  calls.resent(id(2));
  calls.delete(id(1));
  expect([calls.has(id(1)), calls.has(id(2))]).toEqual([false, true]);
  await clock.advance(minutes(9));
  calls.resent(id(2)); // sent again: the time of the newest copy counts
  await clock.advance(minutes(9));
  calls.resent(id(3));
  expect(calls.has(id(2))).toBe(true);
  await clock.advance(minutes(2));
  calls.resent(id(4));
  expect([calls.has(id(2)), calls.has(id(3)), calls.size]).toEqual([false, true, 2]);
});

test('more than can be remembered are refused before anything is done, and let in when others are old', async () => {
  const clock = new FakeClock();
  const calls = new UnresolvedCalls({ clock }, { most: 3 });
  for (const n of [1, 2, 3]) calls.resent(id(n));
  expect(() => calls.resent(id(4))).toThrow(expect.objectContaining({ code: 'busy' }));
  expect(() => calls.resent(id(2))).not.toThrow();
  calls.unanswered(id(5)); // the call may have been carried out, so it must be remembered
  expect(calls.has(id(5))).toBe(true);
  await clock.advance(minutes(10));
  calls.resent(id(4));
  expect(calls.size).toBe(1);
});
