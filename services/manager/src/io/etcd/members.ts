import type { MemberListResponse, Member as WireMember } from '@causeway/proto/gen/etcd/rpc.js';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import { Metadata } from '@grpc/grpc-js';
import type { StoreAlarm, StoreMember, StoreMemberStatus } from '../../store/store.ts';
import type { EtcdCredentials } from './credentials.ts';
import { type DiskWatch, readFsyncs } from './disk.ts';
import type { StoreIdentity } from './identity.ts';
import type { MemberConnections } from './member-connections.ts';
import type { CallBounds, EtcdEndpoint, EtcdPool } from './pool.ts';

/** The way to a cluster's members: to any that answers, and to each. */
export interface ClusterAccess {
  readonly clock: Clock;
  readonly credentials?: EtcdCredentials;
  readonly identity?: StoreIdentity;
  readonly pool: EtcdPool;
  readonly connections: MemberConnections;
  readonly disks: DiskWatch;
  /** One try at one member. */
  readonly attemptTimeout: Duration;
  /** Ends every call under way. */
  readonly signal?: AbortSignal;
}

/** What a member says of itself. */
interface Condition {
  readonly hasLeader: boolean;
  readonly leads: boolean;
  readonly size: number;
  readonly sizeInUse: number;
  readonly revision: bigint;
  /** Of the log: known to be agreed on, and applied. */
  readonly committed: bigint;
  readonly applied: bigint;
  readonly errors: readonly string[];
  readonly slowDisk: boolean;
}

/**
 * For what people look at, which must come within two seconds whatever hangs: for the majority's list of members, and then
 * for what each says of itself. A member that is well answers within milliseconds.
 */
const listWithin = milliseconds(500);
const sayWithin = milliseconds(700);

/** What is asked of a member also while it has no leader. */
const noLeaderNeeded = new Metadata();

/** The members as a majority has them, and how each is doing as it says itself, asked at its own client URL. @throws CausewayError store-unavailable */
export async function agreedMembers(access: ClusterAccess): Promise<readonly StoreMemberStatus[]> {
  const { pool, signal, attemptTimeout } = access;
  const { members } = await pool.repeat('listing etcd members', pool.bounds(signal), agreed(pool));
  return await conditionsOf(access, attemptTimeout, members);
}

/** The same; when the member in use knows no majority, as whoever answers remembers them. @throws CausewayError store-unavailable */
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

/** Undefined when it does not answer. A member that has not started yet has no client URL. */
async function ask(
  { connections, credentials, disks }: ClusterAccess,
  limit: Duration,
  member: StoreMember,
): Promise<Condition | undefined> {
  const [url] = member.clientUrls;
  if (url === undefined) return undefined;
  const asking = connections.ask(member.clientUrls, limit, (pool, { clients }, bounds) =>
    pool.call(clients.maintenance.status.bind(clients.maintenance), {}, bounds, noLeaderNeeded),
  );
  const [status, fsyncs] = await Promise.all([asking.catch(() => undefined), readFsyncs(url, limit, credentials?.tls)]);
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
 * Raised alarms are known to all members, and stand among the errors of each one's status as "memberID:123 alarm:NOSPACE"
 * (the alarm RPC would cost an entry of the log for every look).
 */
function alarmsOf(member: StoreMember, errors: readonly string[], condition: Condition | undefined): StoreAlarm[] {
  const isRaised = (alarm: StoreAlarm): boolean =>
    errors.some((error) => error.startsWith(`memberID:${member.id} alarm:${alarm}`));
  const raised = (['NOSPACE', 'CORRUPT'] as const).filter(isRaised);
  return condition?.slowDisk === true ? [...raised, 'SLOW-DISK'] : raised;
}
