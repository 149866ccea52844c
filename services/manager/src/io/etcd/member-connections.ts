import { type Clock, type Duration, seconds } from '@causeway/runtime';
import type { EtcdReply } from './connection.ts';
import type { EtcdCredentials } from './credentials.ts';
import type { StoreIdentity } from './identity.ts';
import { type CallBounds, type EtcdEndpoint, EtcdPool } from './pool.ts';

export interface MemberConnectionsParts {
  readonly clock: Clock;
  readonly credentials?: EtcdCredentials;
  /** Whose members they have to be; whoever answers without. */
  readonly identity?: StoreIdentity;
}

/** No question to a single member waits longer. */
const longest = seconds(2);

/** A connection to each member at its own client URLs, kept from one question to the next while the member answers. */
export class MemberConnections {
  readonly #parts: MemberConnectionsParts;
  /** By the member's client URLs. */
  readonly #pools = new Map<string, EtcdPool>();

  constructor(parts: MemberConnectionsParts) {
    this.#parts = parts;
  }

  /** Asks the member at these URLs. @throws CausewayError store-unavailable */
  async ask<Response extends EtcdReply>(
    urls: readonly string[],
    limit: Duration,
    attempt: (pool: EtcdPool, endpoint: EtcdEndpoint, bounds: CallBounds) => Promise<Response>,
  ): Promise<Response> {
    const key = String(urls);
    const pool =
      this.#pools.get(key) ??
      new EtcdPool(this.#parts, { endpoints: urls, callTimeout: longest, attemptTimeout: longest });
    this.#pools.set(key, pool);
    try {
      const bounds = pool.bounds(undefined, limit);
      return await pool.repeat('asking an etcd member', bounds, (endpoint, each) => attempt(pool, endpoint, each));
    } catch (error) {
      // The next question comes on a new connection: one whose member was away pauses before it is tried again.
      this.#close(key, pool);
      throw error;
    }
  }

  /** The members are these: connections to others end. */
  keep(members: readonly { readonly clientUrls: readonly string[] }[]): void {
    const kept = new Set(members.map(({ clientUrls }) => String(clientUrls)));
    for (const [key, pool] of this.#pools) if (!kept.has(key)) this.#close(key, pool);
  }

  close(): void {
    this.keep([]);
  }

  #close(key: string, pool: EtcdPool): void {
    pool.close();
    if (this.#pools.get(key) === pool) this.#pools.delete(key);
  }
}
