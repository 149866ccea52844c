import { CausewayError, messageOf } from '@causeway/model';
import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';

/** Time for an election and for the agents to find the new leader, with a margin for a busy machine. */
const electionTakes = seconds(10);

/** The time without a session, which callers wait out. */
export class Outage {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  /** Since when there has been no session, ms of the monotonic clock; undefined: there is a session. */
  #since: number | undefined;
  #cause: unknown;
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Whether callers wait for a session. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** A session ended, or could not be opened. */
  failed(cause: unknown): void {
    this.#since ??= this.#clock.now();
    this.#cause = cause;
  }

  /** There is a session. */
  end(): void {
    this.#since = undefined;
    this.#wakeAll();
  }

  /** Refuses those who wait, and all who ask later. */
  stop(): void {
    this.#isStopped = true;
    this.#wakeAll();
  }

  /**
   * Resolves when there is a session.
   * @throws CausewayError manager-unavailable, with the reason: at once when there has been no session for longer than an
   * election takes, otherwise when that time or the timeout has passed
   */
  async over(timeout: Duration): Promise<void> {
    const clock = this.#clock;
    const deadline = Math.min(clock.now() + timeout, (this.#since ?? clock.now()) + electionTakes);
    while (this.#since !== undefined) {
      const left = deadline - clock.now();
      if (left <= 0 || this.#isStopped) throw this.#error(this.#since);
      const woken = new AbortController();
      const wake = (): void => woken.abort();
      this.#waiting.add(wake);
      await clock.sleep(milliseconds(left), woken.signal);
      this.#waiting.delete(wake);
    }
  }

  #error(since: number): CausewayError {
    const span = Math.round((this.#clock.now() - since) / 1_000);
    const why = this.#cause === undefined ? 'none answers yet' : messageOf(this.#cause);
    const message = `this host has had no session with the managers for ${span} s (${why}): nothing was attached, try again`;
    return new CausewayError('manager-unavailable', message);
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }
}
