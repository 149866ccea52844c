import { CausewayError } from '@causeway/model';
import type { Clock } from '@causeway/runtime';

/** At most `burst` at once, and `perSecond` in the long run. */
interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

interface RateLimits {
  readonly perSource: Rate;
  readonly inAll: Rate;
}

/** More sources than this are not told apart: they share one allowance. */
const mostSources = 10_000;

/** Limits calls of strangers: how often one source may call, and how often all may. */
export class RateLimit {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #limits: RateLimits;
  readonly #inAll: Bucket;
  readonly #sources = new Map<string, Bucket>();

  constructor(clock: Pick<Clock, 'now'>, limits: RateLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#inAll = new Bucket(limits.inAll, clock.now());
  }

  /** A source that is refused uses up nothing of what all may. @throws CausewayError busy */
  take(source: string): void {
    const now = this.#clock.now();
    if (!this.#of(source, now).take(now)) throw busy(`too many calls came from ${source}`);
    if (!this.#inAll.take(now)) throw busy('too many hosts call at once');
  }

  #of(source: string, now: number): Bucket {
    if (this.#sources.size >= mostSources) this.#forgetFull(now);
    const key = this.#sources.size >= mostSources && !this.#sources.has(source) ? '' : source;
    const found = this.#sources.get(key) ?? new Bucket(this.#limits.perSource, now);
    this.#sources.set(key, found);
    return found;
  }

  #forgetFull(now: number): void {
    for (const [source, bucket] of this.#sources) if (bucket.isFull(now)) this.#sources.delete(source);
  }
}

class Bucket {
  readonly #rate: Rate;
  #left: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#at = now;
  }

  take(now: number): boolean {
    this.#fill(now);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  isFull(now: number): boolean {
    this.#fill(now);
    return this.#left >= this.#rate.burst;
  }

  #fill(now: number): void {
    const { burst, perSecond } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1_000) * perSecond);
    this.#at = now;
  }
}

function busy(why: string): CausewayError {
  return new CausewayError('busy', `${why}: try again in a few seconds`);
}
