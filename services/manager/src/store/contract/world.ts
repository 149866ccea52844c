import type { Clock, Duration } from '@causeway/runtime';
import type { Store } from '../store.ts';

/** A store and its surroundings. Each case gets new stores, and a prefix under which no other client writes. */
export interface StoreWorld {
  /** The store under test. The test can disturb everything between it and its backend. */
  readonly store: Store;
  /** Another client of the same backend, undisturbed. */
  readonly witness: Store;
  readonly prefix: string;
  readonly clock: Clock;
  readonly limits: StoreLimits;
  /** Breaks all present connections of the store, once. */
  cut(): void;
  /** Breaks the next `count` follow connections of the store: when they are made, before they bring the missed changes. */
  cutReplays(count: number): void;
  setReachable(reachable: boolean): void;
  /**
   * Loses the next transaction's reply or request. The store gets no answer; the backend gets the transaction with "reply".
   */
  loseNext(what: 'reply' | 'request'): void;
  /** Ends the disturbance of `loseNext`. */
  restore(): void;
  /** Stops the backend as SIGSTOP does; resolves when the whole backend has stopped. */
  freeze(): Promise<void>;
  unfreeze(): void;
  /** Forgets history up to a revision. */
  compact(revision: bigint): Promise<void>;
}

/** Limits of the backend under test. */
export interface StoreLimits {
  readonly pageSize: number;
  /** Shortest lease that the backend grants. */
  readonly leaseTtl: Duration;
  /** After this time a call without an answer must have failed, whatever the backend does. */
  readonly callTimeout: Duration;
}

export interface StoreCase {
  readonly name: string;
  run(world: StoreWorld): Promise<void>;
}
