import { CausewayError } from '@causeway/model';
import { type Clock, type Duration, minutes } from '@causeway/runtime';
import { maxRevisionEvents, type Store } from '../store/store.ts';

/** Least time for which the outcome of a request is kept. */
const kept = minutes(10);

/** Requests that arrive within this time share one lease: a lease for each would be two more writes for each request. */
const shared = minutes(1);

/**
 * Most requests that share one lease. The end of a lease deletes its keys in one revision, which every follower must receive
 * as a whole: 50,000 outcomes on one lease once stopped every manager. Half of the limit leaves a margin.
 */
export const outcomesPerLease = maxRevisionEvents / 2;

interface RequestLeasesParts {
  readonly store: Pick<Store, 'grant'>;
  readonly clock: Clock;
}

interface SharedLease {
  readonly id: Promise<bigint>;
  readonly until: number;
  taken: number;
}

/** The leases of the outcomes of requests. They are never renewed: when a lease ends, the store deletes its outcomes. */
export class RequestLeases {
  readonly #parts: RequestLeasesParts;
  #current: SharedLease | undefined;

  constructor(parts: RequestLeasesParts) {
    this.#parts = parts;
  }

  /** A lease for one outcome. @throws CausewayError store-unavailable */
  take(): Promise<bigint> {
    const lease = this.#hasRoom(this.#current) ? this.#current : this.#begin();
    lease.taken++;
    return lease.id;
  }

  /** The store says that the lease is gone (an older snapshot was restored): the next request takes another lease. */
  forget(): void {
    this.#current = undefined;
  }

  #hasRoom(lease: SharedLease | undefined): lease is SharedLease {
    return lease !== undefined && lease.taken < outcomesPerLease && this.#parts.clock.now() < lease.until;
  }

  #begin(): SharedLease {
    const lease: SharedLease = { id: this.#grant(), until: this.#parts.clock.now() + shared, taken: 0 };
    this.#current = lease;
    lease.id.catch(() => {
      if (this.#current === lease) this.#current = undefined;
    });
    return lease;
  }

  async #grant(): Promise<bigint> {
    try {
      const lease = await this.#parts.store.grant((kept + shared) as Duration);
      return lease.id;
    } catch (cause) {
      throw new CausewayError('store-unavailable', 'the store did not grant a lease for the request', {}, { cause });
    }
  }
}
