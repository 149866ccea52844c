import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * ms. A chunk of 128 entries takes 0.3, a datagram of a dump 0.1: the longest delay of other work is 1 ms plus one of
 * these.
 */
const longest = 1;

/** Divides long synchronous work, so that streams, timers and signals are served in between. */
export class Slice {
  #since = performance.now();

  /** Lets the event loop turn if its last turn was more than 1 ms ago. */
  async maybeYield(): Promise<void> {
    if (performance.now() - this.#since < longest) return;
    await nextTurn();
    this.#since = performance.now();
  }
}
