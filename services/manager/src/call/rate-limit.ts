import { CausewayError } from '@causeway/model';
import { type Clock, type Rate, TokenBucket, TokenBuckets } from '@causeway/runtime';

interface Limit extends Rate {
  /** What a call costs that was refused. A call that succeeds costs 1. */
  readonly refused: number;
}

interface RateLimits {
  readonly perSource: Limit;
  readonly inAll: Limit;
}

/**
 * Limits calls of strangers: how often one source may call, and how often all may. A refused call costs more than one that
 * succeeds: many hosts join together, but few mistype their token.
 */
export class RateLimit {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #limits: RateLimits;
  readonly #inAll: TokenBucket;
  readonly #sources: TokenBuckets;

  constructor(clock: Pick<Clock, 'now'>, limits: RateLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#inAll = new TokenBucket(limits.inAll, clock.now());
    this.#sources = new TokenBuckets(limits.perSource);
  }

  /** A source that has used up its own calls uses up nothing of what all may. @throws CausewayError busy */
  take(source: string): void {
    const now = this.#clock.now();
    if (!this.#sources.of(source, now).take(now)) throw busy(`too many calls came from ${source}`);
    if (!this.#inAll.take(now)) throw busy('too many hosts call at once');
  }

  /** The call that was taken was refused. To be called before another call of the source is taken. */
  refused(source: string): void {
    const { perSource, inAll } = this.#limits;
    const now = this.#clock.now();
    this.#sources.of(source, now).charge(perSource.refused - 1, now);
    this.#inAll.charge(inAll.refused - 1, now);
  }
}

function busy(why: string): CausewayError {
  return new CausewayError('busy', `${why}: try again in a few seconds`);
}
