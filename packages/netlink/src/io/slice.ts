import { setImmediate as nextTurn } from 'node:timers/promises';

/** Milliseconds. A chunk of 128 entries takes 0.3, a dumped datagram 0.1: the longest stall is this and one of them. */
const longest = 1;

/** Divides long synchronous work, so that streams, timers and signals are served in between. */
export class Slice {
  #since = performance.now();

  /** Lets the event loop turn when the last time is more than 1 ms ago. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#since < longest) return;
    await nextTurn();
    this.#since = performance.now();
  }
}
