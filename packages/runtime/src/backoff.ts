import { type Duration, milliseconds } from './duration.ts';
import type { Random } from './random.ts';

export interface Backoff {
  readonly first: Duration;
  readonly max: Duration;
  /** Growth from one delay to the next. */
  readonly factor: number;
}

/**
 * Endless delays between tries: they grow exponentially to `max`, and each is random from [half, full], so that processes
 * do not try at the same time.
 */
export function* delays(backoff: Backoff, random: Random): Generator<Duration, never> {
  let full: number = backoff.first;
  for (;;) {
    yield milliseconds(full / 2 + (full / 2) * random.float());
    full = Math.min(full * backoff.factor, backoff.max);
  }
}
