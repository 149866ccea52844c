import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';

/** The newest events, in order, all of them from `floor` on. */
export class EventRing {
  readonly #kept: number;
  #events: Event[] = [];
  #floor = 0n;

  constructor(kept: number) {
    this.#kept = kept;
  }

  /** No event of that sequence or a later one is missing. */
  get floor(): bigint {
    return this.#floor;
  }

  reset(floor: bigint, events: readonly Event[]): void {
    this.#events = [];
    this.#floor = floor;
    this.add(events);
  }

  /** Later ones than all there are. */
  add(events: readonly Event[]): void {
    this.#events.push(...events);
    // Twice as many before any go, so that making room costs little for each.
    if (this.#events.length < 2 * this.#kept) return;
    this.#events = this.#events.slice(-this.#kept);
    this.#floor = this.#events[0]?.sequence ?? this.#floor;
  }

  /** The first that is not before that sequence. */
  from(sequence: bigint): Event | undefined {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.sequence ?? 0n) < sequence) low = middle + 1;
      else high = middle;
    }
    return this.#events[low];
  }
}
