import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';

/** The newest events, in order: every event from the sequence `floor` on. */
export class EventRing {
  readonly #kept: number;
  #events: Event[] = [];
  #floor = 0n;

  constructor(kept: number) {
    this.#kept = kept;
  }

  /** No event with this sequence or a later one is missing. */
  get floor(): bigint {
    return this.#floor;
  }

  reset(floor: bigint, events: readonly Event[]): void {
    this.#events = [];
    this.#floor = floor;
    this.add(events);
  }

  /** Adds events. They must be later than all existing ones. */
  add(events: readonly Event[]): void {
    this.#events.push(...events);
    // Drops events only when there are twice as many, so that the cost for each event is small.
    if (this.#events.length < 2 * this.#kept) return;
    this.#events = this.#events.slice(-this.#kept);
    this.#floor = this.#events[0]?.sequence ?? this.#floor;
  }

  /** The first event with this sequence or a later one. */
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
