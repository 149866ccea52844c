import { CausewayError } from '@causeway/model';

interface Waiter {
  readonly revision: bigint;
  done(): void;
}

/** Promises that wait for a revision to be reached. */
export class RevisionWaiters {
  readonly #waiters = new Set<Waiter>();

  /** @throws CausewayError timed-out when the signal aborts first */
  wait(revision: bigint, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = (): void => {
        this.#waiters.delete(waiter);
        reject(
          new CausewayError('timed-out', `revision ${revision} was not seen in time`, { revision: `${revision}` }),
        );
      };
      const waiter: Waiter = {
        revision,
        done: () => {
          signal?.removeEventListener('abort', give);
          resolve();
        },
      };
      if (signal?.aborted === true) return give();
      signal?.addEventListener('abort', give);
      this.#waiters.add(waiter);
    });
  }

  reached(revision: bigint): void {
    for (const waiter of this.#waiters) {
      if (waiter.revision > revision) continue;
      this.#waiters.delete(waiter);
      waiter.done();
    }
  }
}
