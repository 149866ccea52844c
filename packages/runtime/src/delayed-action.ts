import type { Clock } from './clock.ts';
import type { Duration } from './duration.ts';

/** Runs an action once after a while. Another request during the wait changes nothing. */
export class DelayedAction {
  readonly #clock: Clock;
  readonly #action: () => void;
  readonly #stopped = new AbortController();
  #waiting = false;

  constructor(modules: { readonly clock: Clock; readonly action: () => void }) {
    this.#clock = modules.clock;
    this.#action = modules.action;
  }

  in(span: Duration): void {
    if (!this.#waiting) void this.#wait(span);
  }

  /** A waiting action is not run any more. */
  stop(): void {
    this.#stopped.abort();
  }

  async #wait(span: Duration): Promise<void> {
    this.#waiting = true;
    await this.#clock.sleep(span, this.#stopped.signal);
    this.#waiting = false;
    if (!this.#stopped.signal.aborted) this.#action();
  }
}
