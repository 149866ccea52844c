import type { Clock } from './clock.ts';

interface SlicesSettings {
  /** Longest uninterrupted work, ms. */
  readonly longest: number;
}

/** Divides long computations, or many short ones, so that streams, timers and signals are served in between. */
export class Slices {
  readonly #clock: Clock;
  readonly #longest: number;
  #since: number;
  #pause: Promise<void> | undefined;

  constructor(modules: { readonly clock: Clock }, { longest }: SlicesSettings = { longest: 1 }) {
    this.#clock = modules.clock;
    this.#longest = longest;
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

  /** Lets other work run when the last pause was long enough ago. */
  async maybeYield(): Promise<void> {
    while (this.#isOver) await this.#turn();
  }

  /** Runs short work, which itself waits for nothing, in a turn that has time for it. Works run in the order of these calls. */
  async next<Result>(work: () => Result): Promise<Awaited<Result>> {
    while (this.#isOver) await this.#turn();
    return await work();
  }

  get #isOver(): boolean {
    return this.#clock.now() - this.#since >= this.#longest;
  }

  /** The next turn, which is the same for all that wait. */
  #turn(): Promise<void> {
    this.#pause ??= this.#clock.yield().then(() => {
      this.#since = this.#clock.now();
      this.#pause = undefined;
    });
    return this.#pause;
  }
}
