import type { Clock } from './clock.ts';
import { type Duration, milliseconds } from './duration.ts';

/** Runs work under a signal that aborts after the span, or with `parent`. The timer ends with the work. */
export async function within<Value>(
  clock: Clock,
  span: Duration,
  work: (signal: AbortSignal) => Promise<Value>,
  parent?: AbortSignal,
): Promise<Value> {
  const limit = new AbortController();
  const done = new AbortController();
  const signal = parent === undefined ? limit.signal : AbortSignal.any([limit.signal, parent]);
  const timer = clock.sleep(milliseconds(Math.max(0, span)), done.signal).then(() => limit.abort());
  try {
    return await work(signal);
  } finally {
    done.abort();
    await timer;
  }
}
