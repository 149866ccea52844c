import type { NetworkId } from '@causeway/model';

interface Waiter {
  readonly revision: bigint;
  readonly done: () => void;
}

/** Who waits until all ready hosts of a network have applied a revision. Nothing is computed while nobody does. */
export class AppliedWaiters {
  readonly #waiters = new Map<NetworkId, Set<Waiter>>();

  /** Resolves when `settle` tells a floor at or above the revision, or the signal aborts: the caller looks again itself. */
  wait(network: NetworkId, revision: bigint, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(network) ?? new Set();
      this.#waiters.set(network, waiters);
      const done = (): void => {
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#waiters.get(network) === waiters) this.#waiters.delete(network);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const waiter = { revision, done };
      waiters.add(waiter);
      signal.addEventListener('abort', done);
    });
  }

  /** What the ready hosts have applied may have changed; `floor` is asked only if somebody waits. Undefined: no bound. */
  settle(network: NetworkId, floor: () => bigint | undefined): void {
    const waiters = this.#waiters.get(network);
    if (waiters === undefined) return;
    const reached = floor();
    for (const waiter of [...waiters]) if (reached === undefined || waiter.revision <= reached) waiter.done();
  }
}
