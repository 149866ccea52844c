import type { Keys } from '../store/keys.ts';

/**
 * Where the next record of events goes: after every one that is known, even when this machine's clock is behind that of
 * an earlier leader. A record is written only while no key stands after it, so the order of keys is that of revisions.
 */
export class EventOrder {
  readonly #keys: Keys;
  #newest = '';

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** The key for a record of that time. */
  next(wall: number): string {
    const newest = this.#keys.placeOfEvent(this.#newest);
    const time = Math.trunc(wall);
    if (newest === undefined || newest.time < time) return this.#take(this.#keys.event(time, 0));
    const { time: last, index } = newest;
    return this.#take(index < mostAtOnce ? this.#keys.event(last, index + 1) : this.#keys.event(last + 1, 0));
  }

  /** A key that stands in the store. */
  saw(key: string): void {
    if (key > this.#newest) this.#newest = key;
  }

  #take(key: string): string {
    this.#newest = key;
    return key;
  }
}

/** Of records that have the same millisecond. */
const mostAtOnce = 0xffff;
