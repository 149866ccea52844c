import { CausewayError } from '@causeway/model';

/** Concurrent calls on all connections: somewhat more than the writer takes, so that reads are still answered. */
export const mostCalls = 10_000;

/** Concurrent streams besides agents' sessions: watches, events, backups. */
export const mostStreams = 2_000;

/**
 * Limits the calls or streams that a manager serves at once. Each further one is refused with the advice to try again,
 * and costs nothing.
 */
export class CallLimit {
  readonly #what: string;
  readonly #most: number;
  #count = 0;

  constructor(what: string, most: number) {
    this.#what = what;
    this.#most = most;
  }

  /** Returns a function to call once when the call has ended. @throws CausewayError busy */
  enter(): () => void {
    if (this.#count >= this.#most) {
      const message = `${this.#most} ${this.#what} are under way at this manager: try again in a moment, or at another manager`;
      throw new CausewayError('busy', message, { most: this.#most });
    }
    this.#count++;
    return () => {
      this.#count--;
    };
  }
}
