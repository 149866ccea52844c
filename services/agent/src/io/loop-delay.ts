import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoopDelay } from '../host/health.ts';

/** Milliseconds. */
const resolution = 20;
const window = 10_000;

/** Measures from now on, for as long as the process lives. Does not keep the process alive. */
export function measureLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  let before = 0;
  // The histogram counts the time between two samples. The part beyond the resolution is the delay.
  const now = (): number => Math.max(0, histogram.max / 1e6 - resolution);
  setInterval(() => {
    before = now();
    histogram.reset();
  }, window).unref();
  return { longest: () => Math.max(before, now()) };
}
