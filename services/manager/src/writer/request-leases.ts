import { CausewayError } from '@causeway/model';
import { type Clock, type Duration, minutes } from '@causeway/runtime';
import type { Store } from '../store/store.ts';

/** How long the outcome of a request is kept at least. */
const kept = minutes(10);

/** Requests of so long share one lease: a lease for each would be two more writes for each. */
const shared = minutes(1);

export interface RequestLeasesParts {
  readonly store: Pick<Store, 'grant'>;
  readonly clock: Clock;
}

/** The leases that outcomes of requests are kept on. They are never renewed: a lease ends and takes its minute along. */
export class RequestLeases {
  readonly #parts: RequestLeasesParts;
  #current: { readonly id: Promise<bigint>; readonly until: number } | undefined;

  constructor(parts: RequestLeasesParts) {
    this.#parts = parts;
  }

  /** @throws CausewayError store-unavailable */
  current(): Promise<bigint> {
    const now = this.#parts.clock.now();
    if (this.#current !== undefined && now < this.#current.until) return this.#current.id;
    const made = { id: this.#grant(), until: now + shared };
    this.#current = made;
    made.id.catch(() => {
      if (this.#current === made) this.#current = undefined;
    });
    return made.id;
  }

  /** The store says that the lease is gone (an older snapshot was restored): take another. */
  forget(): void {
    this.#current = undefined;
  }

  async #grant(): Promise<bigint> {
    try {
      const lease = await this.#parts.store.grant((kept + shared) as Duration);
      return lease.id;
    } catch (cause) {
      throw new CausewayError('store-unavailable', 'the store gives no lease for the request', {}, { cause });
    }
  }
}
