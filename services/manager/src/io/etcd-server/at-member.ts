import type { Clock, Duration } from '@causeway/runtime';
import type { EtcdReply } from '../etcd/connection.ts';
import type { EtcdCredentials } from '../etcd/credentials.ts';
import type { StoreIdentity } from '../etcd/identity.ts';
import { type CallBounds, type EtcdEndpoint, EtcdPool } from '../etcd/pool.ts';

interface AtMemberParts {
  readonly clock: Clock;
  readonly credentials?: EtcdCredentials;
  /** The etcd cluster that the member must belong to. Absent: any cluster is accepted. */
  readonly identity?: StoreIdentity;
}

interface MemberQuestion {
  /** The member's own client URLs. */
  readonly urls: readonly string[];
  readonly limit: Duration;
  /** For messages: "asking an etcd member". */
  readonly what: string;
}

/** Asks one certain member, on a connection that lasts only for the question. @throws CausewayError */
export async function atMember<Response extends EtcdReply>(
  parts: AtMemberParts,
  { urls, limit, what }: MemberQuestion,
  attempt: (pool: EtcdPool, endpoint: EtcdEndpoint, bounds: CallBounds) => Promise<Response>,
): Promise<Response> {
  const pool = new EtcdPool(parts, { callTimeout: limit, attemptTimeout: limit, endpoints: urls });
  try {
    return await pool.repeat(what, pool.bounds(), (endpoint, bounds) => attempt(pool, endpoint, bounds));
  } finally {
    pool.close();
  }
}
