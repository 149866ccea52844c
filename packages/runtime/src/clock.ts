import type { Duration } from './duration.ts';

/** Time as loops see it. `now` is monotonic (for spans and deadlines), `wall` is for people only. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  now(): number;
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** Resolves after the span, or at once when the signal aborts: the caller looks at its signal, nothing is thrown. */
  sleep(span: Duration, signal?: AbortSignal): Promise<void>;
  /** Lets what is queued run first: a long synchronous piece of work calls this between its chunks. */
  yield(): Promise<void>;
}
