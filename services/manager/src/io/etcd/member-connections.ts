import { type Clock, type Duration, seconds } from '@causeway/runtime';
import type { EtcdReply } from './connection.ts';
import type { EtcdCredentials } from './credentials.ts';
import type { StoreIdentity } from './identity.ts';
import { type CallBounds, type EtcdEndpoint, EtcdPool } from './pool.ts';

export interface MemberConnectionsParts {
  readonly clock: Clock;
  readonly credentials?: EtcdCredentials;
  /** The etcd cluster that members must belong to. Absent: any cluster is accepted. */
  readonly identity?: StoreIdentity;
}

/** Longest wait for a single member's answer. */
const longest = seconds(2);

/** A connection to each member at its own client URLs, which stays open between questions while the member answers. */
export class MemberConnections {
  readonly #parts: MemberConnectionsParts;
  /** Key: the member's client URLs. */
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
      // The next question uses a new connection: a connection whose member was away pauses before it is tried again.
      this.#close(key, pool);
      throw error;
    }
  }

  /** Keeps the connections to these members, and closes all others. */
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
