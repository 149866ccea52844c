import { describe, expect, test } from 'vitest';
import { type Duration, seconds } from './duration.ts';
import { aborted, Loop } from './loop.ts';
import { FakeClock, warningsOf } from './testing/index.ts';

interface Run {
  readonly clock: FakeClock;
  readonly loop: Loop;
  readonly end: AbortController;
  readonly steps: number[];
  readonly failures: unknown[];
  readonly running: Promise<void>;
}

/** A loop that records its steps. `act`: what a step does. */
function begin(act: (count: number, loop: Loop) => Promise<Duration | undefined> | Duration | undefined): Run {
  const clock = new FakeClock();
  const steps: number[] = [];
  const failures: unknown[] = [];
  const end = new AbortController();
  const loop: Loop = new Loop(
    { clock },
    {
      step: async () => act(steps.push(clock.now()), loop),
      failed: (error) => failures.push(error),
      retryAfter: seconds(1),
    },
  );
  return { clock, loop, end, steps, failures, running: loop.run(end.signal) };
}

describe('Loop', () => {
  test('steps at once, and again after the rest that the step asked for', async () => {
    const { clock, steps, end, running } = begin(() => seconds(5));
    await clock.advance(seconds(11));
    expect(steps).toEqual([0, 5_000, 10_000]);
    end.abort();
    await running;
    expect(clock.sleeping).toBe(0);
  });

  test('a step without a rest is followed by none until something wakes the loop', async () => {
    const { clock, loop, steps, end, running } = begin(() => undefined);
    await clock.advance(seconds(60));
    loop.wake();
    await clock.advance(seconds(60));
    expect(steps).toEqual([0, 60_000]);
    end.abort();
    await running;
  });

  test('what wakes it during a step causes one more, however often', async () => {
    const { clock, steps, end, running } = begin((count, loop) => {
      if (count > 1) return undefined;
      loop.wake();
      loop.wake();
      return seconds(5);
    });
    await clock.advance(seconds(60));
    expect(steps).toEqual([0, 0]);
    end.abort();
    await running;
  });

  test('a failed step is reported once, and tried again after a pause, whether the loop is woken or not', async () => {
    const { clock, loop, steps, failures, end, running } = begin((count) => {
      if (count === 1) throw new Error('away');
      return undefined;
    });
    await clock.advance(seconds(0.5));
    loop.wake();
    await clock.advance(seconds(10));
    expect(steps).toEqual([0, 1_000]);
    expect(failures).toMatchObject([{ message: 'away' }]);
    end.abort();
    await running;
    expect(clock.sleeping).toBe(0);
  });

  test('ends in the middle of a rest', async () => {
    const { clock, steps, end, running } = begin(() => seconds(60));
    await clock.advance(seconds(1));
    end.abort();
    await running;
    expect(steps).toEqual([0]);
    expect(clock.sleeping).toBe(0);
  });

  test('reports no failure of a step that fails because the loop ends', async () => {
    const run: Run = begin((count) => {
      if (count === 1) return seconds(1);
      run.end.abort();
      throw new Error('ended');
    });
    await run.clock.advance(seconds(1));
    await run.running;
    expect(run.failures).toEqual([]);
  });
});

test('many loops and their steps wait until one signal aborts, and Node has no warning about its listeners', async () => {
  const clock = new FakeClock();
  const end = new AbortController();
  const settings = { failed: () => undefined, retryAfter: seconds(1) };
  const resting = { ...settings, step: async () => undefined };
  const step = async (signal: AbortSignal): Promise<undefined> => void (await aborted(signal));
  const loops = Array.from(
    { length: 40 },
    (_, i) => new Loop({ clock }, i % 2 === 0 ? resting : { ...settings, step }),
  );
  const warnings = await warningsOf(async () => {
    const running = Promise.all(loops.map((loop) => loop.run(end.signal)));
    await new Promise((resolve) => setImmediate(resolve));
    end.abort();
    await running;
  });
  expect(warnings).toEqual([]);
});
