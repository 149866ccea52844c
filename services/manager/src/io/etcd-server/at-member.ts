import type { Clock, Duration } from '@causeway/runtime';
import type { EtcdCredentials } from '../etcd/credentials.ts';
import type { StoreIdentity } from '../etcd/identity.ts';
import { type CallBounds, type EtcdEndpoint, EtcdPool } from '../etcd/pool.ts';

export interface AtMemberParts {
  readonly clock: Clock;
  readonly credentials?: EtcdCredentials;
  /** Whose member it has to be; whoever answers without. */
  readonly identity?: StoreIdentity;
}

/** Asks one certain member, at its own client URLs, on a connection that lives as long as the question. Failures are CausewayErrors. */
export async function atMember<Response>(
  parts: AtMemberParts,
  urls: readonly string[],
  limit: Duration,
  what: string,
  attempt: (pool: EtcdPool, endpoint: EtcdEndpoint, bounds: CallBounds) => Promise<Response>,
): Promise<Response> {
  const pool = new EtcdPool(parts, { callTimeout: limit, attemptTimeout: limit, endpoints: urls });
  try {
    return await pool.repeat(what, pool.bounds(), (endpoint, bounds) => attempt(pool, endpoint, bounds));
  } finally {
    pool.close();
  }
}
