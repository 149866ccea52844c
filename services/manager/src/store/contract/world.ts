import type { Clock, Duration } from '@causeway/runtime';
import type { Store } from '../store.ts';

/** A store and its surroundings, as each case gets them: new stores, and a prefix nobody else writes under. */
export interface StoreWorld {
  /** The store in question; everything between it and its backend can be disturbed. */
  readonly store: Store;
  /** Another client of the same backend, undisturbed. */
  readonly witness: Store;
  readonly prefix: string;
  readonly clock: Clock;
  readonly limits: StoreLimits;
  /** Breaks what connections the store has, once. */
  cut(): void;
  /** The store's next follow connections break between having been made and bringing what was missed. */
  cutReplays(count: number): void;
  setReachable(reachable: boolean): void;
  /** The store's next transaction reaches the backend (reply) or not (request); the store hears nothing. */
  loseNext(what: 'reply' | 'request'): void;
  /** Ends the disturbance of `loseNext`. */
  restore(): void;
  /** The backend stops running, as by SIGSTOP; resolves when nothing of it runs any more. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Forgets history up to a revision. */
  compact(revision: bigint): Promise<void>;
}

/** What the backend in question can do, in its time. */
export interface StoreLimits {
  readonly pageSize: number;
  /** A lease as short as the backend grants. */
  readonly leaseTtl: Duration;
  /** By when a call that is not answered must have failed, whatever the backend does. */
  readonly callTimeout: Duration;
}

export interface StoreCase {
  readonly name: string;
  run(world: StoreWorld): Promise<void>;
}
