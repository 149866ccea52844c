import type { Clock } from './clock.ts';
import type { Duration } from './duration.ts';

/** Does something after a while, once: asking again while it waits changes nothing. */
export class Later {
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

  /** What waits is not done any more. */
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
