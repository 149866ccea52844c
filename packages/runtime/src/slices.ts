import type { Clock } from './clock.ts';

/** Longest uninterrupted work, ms. */
const longest = 1;

/** Divides long computations, so that streams, timers and signals are served in between. */
export class Slices {
  readonly #clock: Clock;
  #since: number;

  constructor(modules: { readonly clock: Clock }) {
    this.#clock = modules.clock;
    this.#since = this.#clock.now();
  }

  /** Runs work that yields from time to time. */
  async run<Result>(work: Generator<undefined, Result>): Promise<Result> {
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return value;
      await this.maybeYield();
    }
  }

  /** Lets other work run when the last pause was at least a millisecond ago. */
  async maybeYield(): Promise<void> {
    if (this.#clock.now() - this.#since < longest) return;
    await this.#clock.yield();
    this.#since = this.#clock.now();
  }
}
