import { type Clock, type Duration, milliseconds } from '@causeway/runtime';

/** For a last look after a wait that took all the time. It has its end before a command is given up (ending.ts). */
const lastLook = milliseconds(250);

/** The time a command has in all, shared by the calls it makes. */
export class Budget {
  readonly total: Duration;
  readonly #clock: Clock;
  readonly #deadline: number;

  constructor(clock: Clock, total: Duration) {
    this.total = total;
    this.#clock = clock;
    this.#deadline = clock.now() + total;
  }

  /** What a call that starts now may take. */
  left(): Duration {
    const left = this.#deadline - this.#clock.now();
    return left > 0 ? milliseconds(left) : lastLook;
  }

  get isOver(): boolean {
    return this.#clock.now() >= this.#deadline;
  }
}
