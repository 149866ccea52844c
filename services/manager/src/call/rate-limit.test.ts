import type { CausewayError } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';

const limits = {
  perSource: { burst: 3, perSecond: 1, refused: 2 },
  inAll: { burst: 5, perSecond: 10, refused: 1 },
};

/** How many of so many calls are let through. */
function through(limit: RateLimit, source: string, calls: number, outcome?: 'refused'): number {
  let passed = 0;
  for (let i = 0; i < calls; i++) {
    try {
      limit.take(source);
      passed++;
      if (outcome === 'refused') limit.refused(source);
    } catch (error) {
      expect(error).toMatchObject({ code: 'busy' } satisfies Partial<CausewayError>);
    }
  }
  return passed;
}

test('a source has its burst, then its rate', async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(clock, limits);
  expect(through(limit, 'a', 10)).toBe(3);
  await clock.advance(seconds(2));
  expect(through(limit, 'a', 10)).toBe(2);
  await clock.advance(seconds(60));
  expect(through(limit, 'a', 10)).toBe(3);
});

test('all sources together have a limit, which calls that are not taken do not use up', async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(clock, limits);
  expect(through(limit, 'a', 100)).toBe(3);
  expect(through(limit, 'b', 100)).toBe(2);
  expect(through(limit, 'c', 1)).toBe(0);
  await clock.advance(seconds(1));
  expect(through(limit, 'd', 100)).toBe(3);
});

test('calls that are refused cost more', async () => {
  const clock = new FakeClock();
  const limit = new RateLimit(clock, limits);
  expect(through(limit, 'a', 100, 'refused')).toBe(2);
  await clock.advance(seconds(1));
  expect(through(limit, 'a', 100, 'refused')).toBe(0);
  await clock.advance(seconds(9));
  expect(through(limit, 'a', 100, 'refused')).toBe(2);
});

test('refused calls cost all sources more, too', () => {
  const limit = new RateLimit(new FakeClock(), { ...limits, inAll: { burst: 10, perSecond: 1, refused: 5 } });
  expect(through(limit, 'a', 100, 'refused')).toBe(2);
  expect(through(limit, 'b', 100)).toBe(0);
});
