import type { Keys } from '../store/keys.ts';

/**
 * Where the next record of events goes: after every one that is known, even when this machine's clock is behind that of
 * an earlier leader. A record is written only while no key stands after it, so the order of keys is that of revisions.
 */
export class EventOrder {
  readonly #keys: Keys;
  #newest = '';
  #told = 0;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** Events that places were given for: those that were written, and those that could not be. */
  get told(): number {
    return this.#told;
  }

  /** A place for a record of that time, of so many events. */
  next(wall: number, events: number): string {
    this.#told += events;
    const newest = this.#keys.parseEvents(this.#newest);
    const time = Math.trunc(wall);
    if (newest === undefined || newest.time < time) return this.#take(this.#keys.placeForEvents(time));
    const { time: last, index } = newest;
    return this.#take(
      index < mostAtOnce ? this.#keys.placeForEvents(last, index + 1) : this.#keys.placeForEvents(last + 1),
    );
  }

  /** A key that stands in the store. */
  saw(key: string): void {
    if (key > this.#newest) this.#newest = key;
  }

  #take(place: string): string {
    this.#newest = place;
    return place;
  }
}

/** Of records that have the same millisecond. */
const mostAtOnce = 0xffff;
