import { CausewayError, isCausewayError } from '@causeway/model';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';

/** Pause after a round in which no manager could serve. An election takes longer, a lost packet not. */
const pauseBetweenRounds = milliseconds(100);

/**
 * Finds the manager that can serve a call: the one that served last, the one a refusal names as leader, else the next
 * known. Only an "unavailable" answer moves on; a retry is safe because every mutating request carries its request id.
 */
export class Failover {
  readonly #known: readonly string[];
  readonly #clock: Clock;
  #current: string;

  constructor(addresses: readonly string[], clock: Clock) {
    const first = addresses[0];
    if (first === undefined) throw new CausewayError('invalid-argument', 'no manager address is known');
    this.#known = addresses;
    this.#clock = clock;
    this.#current = first;
  }

  /** The manager to try first. */
  get current(): string {
    return this.#current;
  }

  /** After an answer that `address` cannot serve: where to go next. */
  moveOn(address: string, error: unknown): void {
    const leader = isCausewayError(error, 'not-leader') ? error.data['leader'] : undefined;
    const next = this.#known[(this.#known.indexOf(address) + 1) % this.#known.length] ?? address;
    this.#current = typeof leader === 'string' && leader !== '' && leader !== address ? leader : next;
  }

  /**
   * Tries until one manager gives an answer that is not "unavailable", or the time is over: then the last error is thrown.
   * `again`: not the first try, so a manager may have the call of an earlier one still, or get it yet.
   */
  async run<Value>(
    timeout: Duration,
    attempt: (address: string, remaining: Duration, again: boolean) => Promise<Value>,
    signal?: AbortSignal,
  ): Promise<Value> {
    const deadline = this.#clock.now() + timeout;
    for (let tries = 1; ; tries++) {
      const address = this.#current;
      try {
        return await attempt(address, milliseconds(Math.max(1, deadline - this.#clock.now())), tries > 1);
      } catch (error) {
        if (!isCausewayError(error) || error.kind !== 'unavailable') throw error;
        this.moveOn(address, error);
        if (this.#clock.now() >= deadline || signal?.aborted === true) throw error;
        if (tries % this.#known.length === 0) await this.#clock.sleep(pauseBetweenRounds, signal);
      }
    }
  }
}
