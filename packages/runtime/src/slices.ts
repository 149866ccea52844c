import type { Clock } from './clock.ts';

/** Milliseconds. */
const longest = 1;

/** Divides long work that has nothing to wait for, so that streams, timers and signals are served in between. */
export class Slices {
  readonly #clock: Clock;
  #since: number;

  constructor(modules: { readonly clock: Clock }) {
    this.#clock = modules.clock;
    this.#since = this.#clock.now();
  }

  /** Runs work that pauses every now and then. */
  async run<Result>(work: Generator<undefined, Result>): Promise<Result> {
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return value;
      await this.breathe();
    }
  }

  /** Lets others have a turn when the last one was more than a millisecond ago. */
  async breathe(): Promise<void> {
    if (this.#clock.now() - this.#since < longest) return;
    await this.#clock.yield();
    this.#since = this.#clock.now();
  }
}
