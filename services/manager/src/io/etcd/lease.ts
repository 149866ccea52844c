import type { LeaseKeepAliveResponse } from '@causeway/proto/gen/etcd/rpc.js';
import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';
import { leaseGone } from '../../store/check.ts';
import type { StoreLease } from '../../store/store.ts';
import { isLeaseUnknown } from './failure.ts';
import { type CallBounds, type EtcdEndpoint, type EtcdPool, leaderRequired } from './pool.ts';

/**
 * Limit of one try to grant or revoke a lease. When a member forwards a proposal to a leader that has just crashed, the
 * proposal is lost silently. The next try reaches the next leader of etcd; until then no manager can lead.
 */
const proposalTry = milliseconds(500);

interface EtcdLeaseParts {
  readonly pool: EtcdPool;
  readonly clock: Clock;
}

/** The server chooses the id: a grant whose reply was lost leaves a lease without keys, which expires by itself. */
export async function grantLease(parts: EtcdLeaseParts, ttl: Duration): Promise<StoreLease> {
  const { pool } = parts;
  const request = { tTL: BigInt(Math.ceil(ttl / seconds(1))), iD: 0n };
  const granted = await pool.repeat('granting a lease', pool.bounds(), ({ clients }, bounds) =>
    pool.call(clients.lease.leaseGrant.bind(clients.lease), request, oneTry(parts, bounds)),
  );
  return new EtcdLease(parts, granted.iD, seconds(Number(granted.tTL)));
}

export async function revokeLease(parts: EtcdLeaseParts, id: bigint): Promise<void> {
  const { pool } = parts;
  const request = { iD: id };
  const revoke = ({ clients }: EtcdEndpoint, bounds: CallBounds) =>
    pool.call(clients.lease.leaseRevoke.bind(clients.lease), request, oneTry(parts, bounds));
  await pool.repeat('revoking a lease', pool.bounds(), revoke, isLeaseUnknown).catch((error: unknown) => {
    if (!isLeaseUnknown(error)) throw error;
  });
}

/**
 * A lease that its holder renews. It has no renewal loop of its own, so that the holder's deadline knows of every
 * renewal.
 */
class EtcdLease implements StoreLease {
  readonly id: bigint;
  readonly ttl: Duration;
  readonly #parts: EtcdLeaseParts;

  constructor(parts: EtcdLeaseParts, id: bigint, ttl: Duration) {
    this.#parts = parts;
    this.id = id;
    this.ttl = ttl;
  }

  async renew(signal?: AbortSignal): Promise<Duration> {
    const { pool } = this.#parts;
    const bounds = pool.bounds(signal, milliseconds(this.ttl / 2));
    const reply = await pool.repeat('renewing a lease', bounds, (endpoint, attempt) =>
      keepAliveOnce(pool, endpoint, this.id, attempt),
    );
    // etcd answers also for a lease that has ended, with no time to live.
    if (reply.tTL <= 0n) throw leaseGone(`lease ${this.id}`);
    return seconds(Number(reply.tTL));
  }

  revoke(): Promise<void> {
    return revokeLease(this.#parts, this.id);
  }
}

function oneTry({ clock }: EtcdLeaseParts, bounds: CallBounds): CallBounds {
  return { ...bounds, deadline: Math.min(bounds.deadline, clock.now() + proposalTry) };
}

/** One request and one reply on a stream of their own, as etcd's own client does for a single keep-alive. */
function keepAliveOnce(
  pool: EtcdPool,
  { clients }: EtcdEndpoint,
  id: bigint,
  bounds: CallBounds,
): Promise<LeaseKeepAliveResponse> {
  return new Promise((resolve, reject) => {
    const stream = clients.lease.leaseKeepAlive(leaderRequired(), pool.options(bounds));
    const cancel = (): void => stream.cancel();
    const settle = (act: () => void): void => {
      bounds.signal?.removeEventListener('abort', cancel);
      act();
    };
    stream.on('data', (reply: LeaseKeepAliveResponse) => {
      settle(() => resolve(reply));
      cancel();
    });
    stream.on('error', (error) => settle(() => reject(error)));
    stream.on('end', () => settle(() => reject(new Error('etcd ended the keep-alive stream without a reply'))));
    bounds.signal?.addEventListener('abort', cancel);
    if (bounds.signal?.aborted === true) cancel();
    stream.write({ iD: id });
  });
}
