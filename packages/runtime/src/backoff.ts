import { type Duration, milliseconds } from './duration.ts';
import type { Random } from './random.ts';

export interface Backoff {
  readonly first: Duration;
  readonly max: Duration;
  /** Growth from one delay to the next. */
  readonly factor: number;
}

/** Delays to wait between tries, endless: exponential to `max`, each drawn from [half, full] so that peers spread. */
export function* delays(backoff: Backoff, random: Random): Generator<Duration, never> {
  let full: number = backoff.first;
  for (;;) {
    yield milliseconds(full / 2 + (full / 2) * random.float());
    full = Math.min(full * backoff.factor, backoff.max);
  }
}
