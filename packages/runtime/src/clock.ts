import type { Duration } from './duration.ts';

/**
 * Reason with which the end of a wait is aborted where waits are many. Without a reason, each abort makes an error with a
 * stack, which costs more than the wait itself. For signals whose reason no caller reads.
 */
export const waitOver = 'the wait is over';

/** The clock of all loops. `now` is monotonic (for spans and deadlines), `wall` is only for people. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** Resolves after the span, or at once when the signal aborts. Nothing is thrown; the caller checks its signal. */
  sleep(span: Duration, signal?: AbortSignal): Promise<void>;
  /** Lets queued work run first. A long synchronous computation calls this between its parts. */
  yield(): Promise<void>;
}
