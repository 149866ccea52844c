/** At most `burst` at once, and `perSecond` in the long run. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Limits how often something happens. All times are those of one monotonic clock, ms. */
export class TokenBucket {
  readonly #rate: Rate;
  #left: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#at = now;
  }

  /** Takes one. False: there is none. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Takes that many, also more than there are: what is missing then has to come back first. */
  charge(count: number, now: number): void {
    this.#fill(now);
    this.#left -= count;
  }

  /** Puts back one that was taken. */
  giveBack(now: number): void {
    this.#fill(now);
    this.#left = Math.min(this.#rate.burst, this.#left + 1);
  }

  isFull(now: number): boolean {
    this.#fill(now);
    return this.#left >= this.#rate.burst;
  }

  /** When there is one to take. */
  readyAt(now: number): number {
    this.#fill(now);
    return now + (Math.max(0, 1 - this.#left) * 1_000) / this.#rate.perSecond;
  }

  #fill(now: number): void {
    const { burst, perSecond } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1_000) * perSecond);
    this.#at = now;
  }
}

/** More keys than this are not told apart: they share one bucket. So strangers who make up keys do not fill the memory. */
const mostKeys = 10_000;

/** A bucket for each key, such as the address of a caller. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  of(key: string, now: number): TokenBucket {
    if (this.#buckets.size >= mostKeys) this.#forgetFull(now);
    const known = this.#buckets.size >= mostKeys && !this.#buckets.has(key) ? '' : key;
    const found = this.#buckets.get(known) ?? new TokenBucket(this.#rate, now);
    this.#buckets.set(known, found);
    return found;
  }

  #forgetFull(now: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key);
  }
}
