import type { NetworkId } from '@causeway/model';

/** Whether the wait is over. `floor`: revision that all hosts in question have; undefined: there is no such host. */
export type Awaited = (floor: () => bigint | undefined) => boolean;

interface Waiter {
  readonly awaited: Awaited;
  readonly end: (reached: boolean) => void;
}

/** Callers that wait for hosts of a network. Nothing is computed without callers, and the floor once for all of them. */
export class ProgressWaiters {
  readonly #floorOf: (network: NetworkId) => bigint | undefined;
  readonly #waiters = new Map<NetworkId, Set<Waiter>>();

  constructor(floorOf: (network: NetworkId) => bigint | undefined) {
    this.#floorOf = floorOf;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves with true when the wait is over, with false when the signal aborts first. */
  wait(network: NetworkId, awaited: Awaited, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (awaited(() => this.#floorOf(network))) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(network) ?? new Set();
      this.#waiters.set(network, waiters);
      const end = (reached: boolean): void => {
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(network);
        signal.removeEventListener('abort', abort);
        resolve(reached);
      };
      const abort = (): void => end(false);
      const waiter = { awaited, end };
      waiters.add(waiter);
      signal.addEventListener('abort', abort);
    });
  }

  /** The progress of hosts of the network may have changed. */
  moved(network: NetworkId): void {
    const waiters = this.#waiters.get(network);
    if (waiters === undefined) return;
    let floor: { readonly value: bigint | undefined } | undefined;
    const once = (): bigint | undefined => {
      floor ??= { value: this.#floorOf(network) };
      return floor.value;
    };
    for (const waiter of [...waiters]) if (waiter.awaited(once)) waiter.end(true);
  }
}
