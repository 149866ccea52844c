/** Frames that arrive in another order than they were sent are accepted, if at most this many were sent in between. */
const width = 1024n;

/** Accepts each counter of one boot once, from that after `before` on. */
export class ReplayWindow {
  #highest: bigint;
  /** A bit for each counter of the window, at its number modulo the width. */
  readonly #seen = new Uint32Array(Number(width) / 32).fill(0xffff_ffff);

  constructor(before: bigint) {
    this.#highest = before;
  }

  accept(counter: bigint): boolean {
    if (counter > this.#highest) {
      const from = counter - this.#highest >= width ? counter - width + 1n : this.#highest + 1n;
      for (let each = from; each <= counter; each++) this.#clear(each);
      this.#highest = counter;
    } else if (this.#highest - counter >= width || this.#has(counter)) return false;
    this.#set(counter);
    return true;
  }

  #has(counter: bigint): boolean {
    const bit = Number(counter % width);
    return (((this.#seen[bit >> 5] ?? 0) >>> (bit & 31)) & 1) === 1;
  }

  #set(counter: bigint): void {
    const bit = Number(counter % width);
    this.#seen[bit >> 5] = (this.#seen[bit >> 5] ?? 0) | (1 << (bit & 31));
  }

  #clear(counter: bigint): void {
    const bit = Number(counter % width);
    this.#seen[bit >> 5] = (this.#seen[bit >> 5] ?? 0) & ~(1 << (bit & 31));
  }
}
