import { type Clock, type Duration, milliseconds } from '@causeway/runtime';

/** Time for a last call after a wait that took all the time. The call ends before the command is given up (ending.ts). */
const lastLook = milliseconds(250);

/** The total time of a command, which its calls share. */
export class Budget {
  readonly total: Duration;
  readonly #clock: Clock;
  readonly #deadline: number;

  constructor(clock: Clock, total: Duration) {
    this.total = total;
    this.#clock = clock;
    this.#deadline = clock.now() + total;
  }

  /** Time for a call that starts now. */
  left(): Duration {
    const left = this.#deadline - this.#clock.now();
    return left > 0 ? milliseconds(left) : lastLook;
  }

  get isOver(): boolean {
    return this.#clock.now() >= this.#deadline;
  }
}
