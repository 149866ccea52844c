import { type Clock, type Log, seconds } from '@causeway/runtime';
import { promoteWhenInSync } from '../../cluster/membership/join.ts';
import type { Membership, StoreMember } from '../../cluster/membership/membership.ts';
import type { EtcdCredentials } from '../etcd/credentials.ts';
import { DiskWatch } from '../etcd/disk.ts';
import { MemberConnections } from '../etcd/member-connections.ts';
import { EtcdPool } from '../etcd/pool.ts';
import { atMember } from './at-member.ts';
import { EtcdMembership } from './membership.ts';

interface OwnMemberParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly credentials: EtcdCredentials;
}

interface OwnMember {
  readonly id: string;
  /** Id of the etcd cluster. */
  readonly cluster: string;
  readonly learner: boolean;
}

const callTimeout = seconds(7);
const attemptTimeout = seconds(2);

/** Which member the etcd at this URL is, as etcd itself reports. @throws CausewayError store-unavailable */
export async function askOwnMember({ clock, credentials }: OwnMemberParts, url: string): Promise<OwnMember> {
  const { header, isLearner } = await atMember(
    { clock, credentials },
    { urls: [url], limit: callTimeout, what: 'asking the embedded etcd' },
    (pool, { clients }, bounds) => pool.call(clients.maintenance.status.bind(clients.maintenance), {}, bounds),
  );
  return { id: String(header?.memberId), cluster: String(header?.clusterId), learner: isLearner };
}

/** Runs `run` with a Membership that uses these members. */
export async function withMembership<Value>(
  { clock, credentials }: OwnMemberParts,
  urls: readonly string[],
  signal: AbortSignal,
  run: (membership: Membership) => Promise<Value>,
): Promise<Value> {
  const pool = new EtcdPool({ clock, credentials }, { endpoints: urls, callTimeout, attemptTimeout });
  const connections = new MemberConnections({ clock, credentials });
  try {
    const access = { clock, credentials, pool, connections, disks: new DiskWatch(), attemptTimeout, signal };
    return await run(new EtcdMembership(access));
  } finally {
    connections.close();
    pool.close();
  }
}

/** Asks the other members to make this learner a voter, until it is: etcd does not let a learner ask. */
export function becomeVoter(
  parts: OwnMemberParts,
  own: OwnMember,
  others: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  return withMembership(parts, others, signal, (membership) =>
    promoteWhenInSync({ ...parts, membership }, own.id, signal),
  );
}

/**
 * Other members dial a member at the address in the cluster's list, so a new address must be announced. True when it was.
 */
export async function correctPeerUrl(membership: Membership, own: StoreMember, peerUrl: string): Promise<boolean> {
  if (own.peerUrls.length === 1 && own.peerUrls[0] === peerUrl) return false;
  await membership.setPeerUrl(own.id, peerUrl);
  return true;
}
