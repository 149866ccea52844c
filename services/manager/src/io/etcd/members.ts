import type { MemberListResponse, Member as WireMember } from '@causeway/proto/gen/etcd/rpc.js';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import { Metadata } from '@grpc/grpc-js';
import type { StoreAlarm, StoreMember, StoreMemberStatus } from '../../store/store.ts';
import { type EtcdCredentials, unencrypted } from './credentials.ts';
import { type DiskWatch, readFsyncs } from './disk.ts';
import type { StoreIdentity } from './identity.ts';
import type { MemberConnections } from './member-connections.ts';
import type { CallBounds, EtcdEndpoint, EtcdPool } from './pool.ts';

/** Access to a cluster's members: to any member that answers, and to each single member. */
export interface ClusterAccess {
  readonly clock: Clock;
  readonly credentials?: EtcdCredentials;
  readonly identity?: StoreIdentity;
  readonly pool: EtcdPool;
  readonly connections: MemberConnections;
  readonly disks: DiskWatch;
  /** Limit of one try at one member. */
  readonly attemptTimeout: Duration;
  /** Ends every call under way. */
  readonly signal?: AbortSignal;
}

/** What a member reports about itself. */
interface Condition {
  readonly hasLeader: boolean;
  readonly leads: boolean;
  readonly size: number;
  readonly sizeInUse: number;
  readonly revision: bigint;
  /** Indexes in the Raft log: `committed` is agreed on as far as the member knows, `applied` is applied. */
  readonly committed: bigint;
  readonly applied: bigint;
  readonly errors: readonly string[];
  readonly slowDisk: boolean;
}

/**
 * Limits for status, which people must get within two seconds, whatever hangs: for the majority's list of members, and
 * then for each member's report about itself. A healthy member answers within milliseconds.
 */
const listWithin = milliseconds(500);
const sayWithin = milliseconds(700);

/** Metadata of calls that a member answers also while it has no leader. */
const noLeaderNeeded = new Metadata();

/**
 * The members as a majority has them, with each member's report about itself, asked at the member's own client URL.
 * @throws CausewayError store-unavailable
 */
export async function agreedMembers(access: ClusterAccess): Promise<readonly StoreMemberStatus[]> {
  const { pool, signal, attemptTimeout } = access;
  const { members } = await pool.repeat('listing etcd members', pool.bounds(signal), agreed(pool));
  return await conditionsOf(access, attemptTimeout, members);
}

/**
 * The same as `agreedMembers`. When the member in use has no majority, the list is as any member that answers remembers
 * it.
 * @throws CausewayError store-unavailable
 */
export async function knownMembers(access: ClusterAccess): Promise<readonly StoreMemberStatus[]> {
  const { pool, signal, attemptTimeout } = access;
  const endpoint = await pool.ready(pool.bounds(signal));
  const listing = pool.bounds(signal, shorter(attemptTimeout, listWithin));
  const { members } = await agreed(pool)(endpoint, listing).catch(() => {
    pool.pass(endpoint);
    return pool.repeat('listing etcd members', pool.bounds(signal), remembered(pool));
  });
  return await conditionsOf(access, shorter(attemptTimeout, sayWithin), members);
}

function shorter(one: Duration, other: Duration): Duration {
  return one < other ? one : other;
}

type Listing = (endpoint: EtcdEndpoint, bounds: CallBounds) => Promise<MemberListResponse>;

function agreed(pool: EtcdPool): Listing {
  return ({ clients: { cluster } }, bounds) =>
    pool.call(cluster.memberList.bind(cluster), { linearizable: true }, bounds);
}

function remembered(pool: EtcdPool): Listing {
  return ({ clients: { cluster } }, bounds) =>
    pool.call(cluster.memberList.bind(cluster), { linearizable: false }, bounds, noLeaderNeeded);
}

async function conditionsOf(
  access: ClusterAccess,
  limit: Duration,
  wire: readonly WireMember[],
): Promise<readonly StoreMemberStatus[]> {
  const members = wire.map(memberFromWire);
  access.connections.keep(members);
  const conditions = await Promise.all(members.map((member) => ask(access, limit, member)));
  const furthest = conditions.reduce(
    (most, each) => (each !== undefined && each.committed > most ? each.committed : most),
    0n,
  );
  const raised = conditions.flatMap((each) => each?.errors ?? []);
  return members.map((member, index) => {
    const condition = conditions[index];
    const alarms = alarmsOf(member, raised, condition);
    if (condition === undefined) return { ...member, ...silent, alarms };
    const { hasLeader, leads, size, sizeInUse, revision, applied } = condition;
    const lag = furthest > applied ? furthest - applied : 0n;
    return { ...member, healthy: hasLeader, leader: leads, size, sizeInUse, revision, lag, alarms };
  });
}

const silent = { healthy: false, leader: false, size: 0, sizeInUse: 0, revision: 0n, lag: 0n };

function memberFromWire(member: WireMember): StoreMember {
  return {
    id: String(member.iD),
    name: member.name,
    peerUrls: member.peerURLs,
    clientUrls: member.clientURLs,
    learner: member.isLearner,
  };
}

/** Undefined when the member does not answer. A member that has not started yet has no client URL. */
async function ask(
  { connections, credentials = unencrypted, disks }: ClusterAccess,
  limit: Duration,
  member: StoreMember,
): Promise<Condition | undefined> {
  const [url] = member.clientUrls;
  if (url === undefined) return undefined;
  const asking = connections.ask(member.clientUrls, limit, (pool, { clients }, bounds) =>
    pool.call(clients.maintenance.status.bind(clients.maintenance), {}, bounds, noLeaderNeeded),
  );
  const [status, fsyncs] = await Promise.all([asking.catch(() => undefined), readFsyncs(url, limit, credentials)]);
  if (status === undefined) return undefined;
  return {
    hasLeader: status.leader !== 0n,
    leads: String(status.leader) === member.id,
    size: Number(status.dbSize),
    sizeInUse: Number(status.dbSizeInUse),
    revision: status.header?.revision ?? 0n,
    committed: status.raftIndex,
    applied: status.raftAppliedIndex,
    errors: status.errors,
    slowDisk: fsyncs !== undefined && disks.look(member.id, fsyncs),
  };
}

/**
 * All members know all raised alarms, and report them among the errors of their status as "memberID:123 alarm:NOSPACE".
 * (The alarm RPC would write an entry to the log for every look.)
 */
function alarmsOf(member: StoreMember, errors: readonly string[], condition: Condition | undefined): StoreAlarm[] {
  const isRaised = (alarm: StoreAlarm): boolean =>
    errors.some((error) => error.startsWith(`memberID:${member.id} alarm:${alarm}`));
  const raised = (['NOSPACE', 'CORRUPT'] as const).filter(isRaised);
  return condition?.slowDisk === true ? [...raised, 'SLOW-DISK'] : raised;
}
