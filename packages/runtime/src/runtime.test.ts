import { describe, expect, it, test } from 'vitest';
import { delays } from './backoff.ts';
import { formatDuration, milliseconds, parseDuration, seconds } from './duration.ts';
import { systemClock } from './io/system-clock.ts';
import { randomId, randomUuid } from './random.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { MemoryLog } from './testing/memory-log.ts';
import { SeededRandom } from './testing/seeded-random.ts';
import { Worker } from './worker.ts';

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['0s', 0],
  ])('reads %s', (text, expected) => expect(parseDuration(text)).toBe(expected));
  it.each(['', '5', 's', '-1s', '1e3s', '5 s', '1d', '99999999999s'])('refuses %j', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );
});

test('formatDuration takes the largest unit that fits', () => {
  expect([0, 250, 5_000, 90_000, 86_400_000].map((span) => formatDuration(milliseconds(span)))).toEqual([
    '0s',
    '250ms',
    '5s',
    '90s',
    '24h',
  ]);
});

describe('delays', () => {
  it('grow to the maximum, each between half and full', () => {
    const backoff = { first: milliseconds(100), max: milliseconds(1_000), factor: 2 };
    const seen = delays(backoff, new SeededRandom(1));
    for (const full of [100, 200, 400, 800, 1_000, 1_000]) {
      const { value } = seen.next();
      expect(value).toBeGreaterThanOrEqual(full / 2);
      expect(value).toBeLessThanOrEqual(full);
    }
  });
});

describe('FakeClock', () => {
  it('wakes sleepers in the order of their time, at their time', async () => {
    const clock = new FakeClock();
    const woken: string[] = [];
    const sleeper = async (name: string, span: number): Promise<void> => {
      await clock.sleep(milliseconds(span));
      woken.push(`${name}@${clock.now()}`);
      await clock.sleep(milliseconds(span));
      woken.push(`${name}@${clock.now()}`);
    };
    const both = Promise.all([sleeper('slow', 30), sleeper('fast', 20)]);
    await clock.advance(milliseconds(60));
    await both;
    expect(woken).toEqual(['fast@20', 'slow@30', 'fast@40', 'slow@60']);
  });

  it('wakes an aborted sleeper without moving', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const sleep = clock.sleep(seconds(60), abort.signal);
    abort.abort();
    await sleep;
    expect(clock.now()).toBe(0);
  });

  it('gives up on a promise that does not settle in time', async () => {
    await expect(new FakeClock().until(new Promise(() => undefined), seconds(1))).rejects.toThrow(
      'not settled within 1000 ms',
    );
  });
});

describe('systemClock', () => {
  it('sleeps, and stops sleeping when aborted', async () => {
    const before = systemClock.now();
    await systemClock.sleep(milliseconds(5));
    expect(systemClock.now()).toBeGreaterThan(before);
    await systemClock.sleep(seconds(3_600), AbortSignal.abort());
  });
});

describe('Worker', () => {
  it('makes one further run of all pokes that come while it runs, never two at once', async () => {
    const gates: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const worker = new Worker(async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => gates.push(resolve));
      running--;
    });
    const first = worker.poke();
    const later = [worker.poke(), worker.poke()];
    gates[0]?.();
    await first;
    expect(gates.length).toBe(2);
    gates[1]?.();
    await Promise.all(later);
    expect([gates.length, most, running]).toEqual([2, 1, 0]);
  });

  it('a poke resolves only after a run that began later than it', async () => {
    let runs = 0;
    const worker = new Worker(async () => {
      await Promise.resolve();
      runs++;
    });
    const first = worker.poke();
    await worker.poke();
    expect(runs).toBe(2);
    await first;
  });

  it('does nothing once stopped', async () => {
    let runs = 0;
    const worker = new Worker(async () => {
      runs++;
    });
    await worker.stop();
    await worker.poke();
    expect(runs).toBe(0);
  });
});

describe('random values', () => {
  it('have their form and repeat with their seed', () => {
    const [a, b] = [new SeededRandom(7), new SeededRandom(7)];
    expect(randomUuid(a)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(randomId(a)).toMatch(/^[0-9a-f]{16}$/);
    expect(randomUuid(new SeededRandom(7))).toBe(randomUuid(b));
  });
});

describe('MemoryLog', () => {
  it('keeps lines of children with their fields', () => {
    const log = new MemoryLog();
    log.child({ node: 'h1' }).warn('session.lost', { manager: 'm1' });
    expect(log.lines).toEqual([{ level: 'warn', event: 'session.lost', fields: { node: 'h1', manager: 'm1' } }]);
  });
});
