import type { Clock } from '../clock.ts';
import { type Duration, milliseconds } from '../duration.ts';

interface Sleeper {
  readonly at: number;
  readonly order: number;
  wake(): void;
}

/**
 * A clock that moves only when a test moves it. Sleepers wake in the order of their wake-up times, then in the order in
 * which they fell asleep.
 */
export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #sleepers = new Set<Sleeper>();
  #wallOffset: number;

  constructor(wallOffset = 1_700_000_000_000) {
    this.#wallOffset = wallOffset;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#wallOffset + this.#now;
  }

  /** Changes only the wall clock, as when an operator sets the machine's clock. */
  stepWall(by: number): void {
    this.#wallOffset += by;
  }

  /** Number of sleepers; 0 when everything that used this clock has stopped. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(span: Duration, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper: Sleeper = { at: this.#now + span, order: this.#order++, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake);
    });
  }

  yield(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * Moves time forward by the span. Each sleeper wakes at its own time, and its work settles before the next sleeper
   * wakes.
   */
  async advance(span: Duration): Promise<void> {
    const until = this.#now + span;
    await settle();
    for (let next = this.#first(until); next !== undefined; next = this.#first(until)) {
      this.#now = Math.max(this.#now, next.at);
      next.wake();
      await settle();
    }
    this.#now = until;
  }

  /**
   * Moves time forward until the promise settles, by at most `limit`. Returns the result of the promise, or throws its
   * error.
   */
  async until<Value>(promise: Promise<Value>, limit: Duration): Promise<Value> {
    let settled = false;
    const watched = promise.finally(() => {
      settled = true;
    });
    watched.catch(() => undefined);
    const deadline = this.#now + limit;
    await settle();
    while (!settled) {
      const next = this.#first(deadline);
      if (next === undefined) throw new Error(`not settled within ${limit} ms of virtual time`);
      await this.advance(milliseconds(Math.max(0, next.at - this.#now)));
    }
    return await watched;
  }

  #first(until: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > until) continue;
      if (first === undefined || sleeper.at < first.at || (sleeper.at === first.at && sleeper.order < first.order))
        first = sleeper;
    }
    return first;
  }
}

/** Lets every chain of promises that is ready run to its end: a macrotask comes after all microtasks. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
