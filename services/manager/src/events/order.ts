import type { Keys } from '../store/keys.ts';

/**
 * Chooses the place of the next record of events: after every known record, even if this machine's clock is behind that of
 * an earlier leader. A record is written only while there is no key after it, so the order of keys is the order of
 * revisions.
 */
export class EventOrder {
  readonly #keys: Keys;
  #newest = '';

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** A place for a record of that time. */
  next(wall: number): string {
    const newest = this.#keys.parseEvents(this.#newest);
    const time = Math.trunc(wall);
    if (newest === undefined || newest.time < time) return this.#take(this.#keys.placeForEvents(time));
    const { time: last, index } = newest;
    return this.#take(
      index < mostAtOnce ? this.#keys.placeForEvents(last, index + 1) : this.#keys.placeForEvents(last + 1),
    );
  }

  /** Notes a key that is in the store. */
  saw(key: string): void {
    if (key > this.#newest) this.#newest = key;
  }

  #take(place: string): string {
    this.#newest = place;
    return place;
  }
}

/** Highest number of a record in one millisecond. */
const mostAtOnce = 0xffff;
