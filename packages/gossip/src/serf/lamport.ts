/** Leaves room for sums: no clock comes near it in the life of a cluster. */
export const maxLamport = 2 ** 52;

/**
 * A logical clock. What a node sends has the clock's time, and each node moves its clock past every time that it sees, so an
 * event that follows from another has the later time.
 */
export class LamportClock {
  /** A message with time 0 would look like one without a time. */
  #time = 1;

  get time(): number {
    return this.#time;
  }

  /** The time for a new message. */
  next(): number {
    const time = this.#time;
    this.witness(time);
    return time;
  }

  /** Moves past a time that was seen. */
  witness(seen: number): void {
    if (seen >= this.#time) this.#time = Math.min(seen + 1, maxLamport);
  }
}
