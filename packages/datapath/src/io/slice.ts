import { setImmediate as nextTurn } from 'node:timers/promises';

/** A chunk of 512 entries takes 1 to 3 ms, a dumped datagram 0.1: the longest stall is this and one of them. */
const longest = 2;

/** Divides long synchronous work, so that streams, timers and signals are served in between. */
export class Slice {
  #since = performance.now();

  /** Lets the event loop turn when the last time is more than 2 ms ago. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#since < longest) return;
    await nextTurn();
    this.#since = performance.now();
  }
}
