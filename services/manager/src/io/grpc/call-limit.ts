import { CausewayError } from '@causeway/model';

/** Calls at once, of all connections: some more than the writer takes, so that reads are answered beside them. */
export const mostCalls = 10_000;

/** Streams at once beside agents' sessions: watches, events, backups. */
export const mostStreams = 2_000;

/** Calls and streams that a manager serves at once; beyond it each further one is told to try again, and costs nothing. */
export class CallLimit {
  readonly #what: string;
  readonly #most: number;
  #count = 0;

  constructor(what: string, most: number) {
    this.#what = what;
    this.#most = most;
  }

  /** Returns the way out, to be taken once. @throws CausewayError busy */
  enter(): () => void {
    if (this.#count >= this.#most) {
      const message = `${this.#most} ${this.#what} are under way at this manager: try again in a moment, or at another`;
      throw new CausewayError('busy', message, { most: this.#most });
    }
    this.#count++;
    return () => {
      this.#count--;
    };
  }
}
