import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import { Metadata } from '@grpc/grpc-js';
import type { IMember, IMemberListResponse } from 'etcd3';
import type { StoreAlarm, StoreMember, StoreMemberStatus } from '../../store/store.ts';
import { atMember } from './at-member.ts';
import type { EtcdCredentials } from './credentials.ts';
import { type DiskWatch, readFsyncs } from './disk.ts';
import type { StoreIdentity } from './identity.ts';
import type { CallBounds, EtcdEndpoint, EtcdPool } from './pool.ts';

export interface MembersParts {
  readonly clock: Clock;
  readonly credentials?: EtcdCredentials;
  readonly identity?: StoreIdentity;
  readonly pool: EtcdPool;
  readonly disks: DiskWatch;
  /** Ends every call under way. */
  readonly signal?: AbortSignal;
}

export interface MembersSettings {
  readonly attemptTimeout: Duration;
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
export async function agreedMembers(
  parts: MembersParts,
  settings: MembersSettings,
): Promise<readonly StoreMemberStatus[]> {
  const { pool, signal } = parts;
  const { members } = await pool.repeat('listing etcd members', pool.bounds(signal), agreed(pool));
  return await conditionsOf(parts, settings, members);
}

/** The same; when the member in use knows no majority, as whoever answers remembers them. @throws CausewayError store-unavailable */
export async function knownMembers(
  parts: MembersParts,
  settings: MembersSettings,
): Promise<readonly StoreMemberStatus[]> {
  const { pool, signal } = parts;
  const endpoint = await pool.ready(pool.bounds(signal));
  const { members } = await agreed(pool)(endpoint, pool.bounds(signal, shorter(settings, listWithin))).catch(() => {
    pool.pass(endpoint);
    return pool.repeat('listing etcd members', pool.bounds(signal), remembered(pool));
  });
  return await conditionsOf(parts, { attemptTimeout: shorter(settings, sayWithin) }, members);
}

function shorter({ attemptTimeout }: MembersSettings, limit: Duration): Duration {
  return attemptTimeout < limit ? attemptTimeout : limit;
}

type Listing = (endpoint: EtcdEndpoint, bounds: CallBounds) => Promise<IMemberListResponse>;

function agreed(pool: EtcdPool): Listing {
  return ({ clients: { cluster } }, bounds) =>
    pool.call(cluster.memberList.bind(cluster), { linearizable: true }, bounds);
}

function remembered(pool: EtcdPool): Listing {
  return ({ clients: { cluster } }, bounds) =>
    pool.call(cluster.memberList.bind(cluster), { linearizable: false }, bounds, noLeaderNeeded);
}

async function conditionsOf(
  parts: MembersParts,
  settings: MembersSettings,
  members: readonly IMember[],
): Promise<readonly StoreMemberStatus[]> {
  const conditions = await Promise.all(members.map((member) => ask(parts, settings, memberFromWire(member))));
  const furthest = conditions.reduce(
    (most, each) => (each !== undefined && each.committed > most ? each.committed : most),
    0n,
  );
  const raised = conditions.flatMap((each) => each?.errors ?? []);
  return members.map((wire, index) => {
    const member = memberFromWire(wire);
    const condition = conditions[index];
    const alarms = alarmsOf(member, raised, condition);
    if (condition === undefined) return { ...member, ...silent, alarms };
    const { hasLeader, leads, size, sizeInUse, revision, applied } = condition;
    const lag = furthest > applied ? furthest - applied : 0n;
    return { ...member, healthy: hasLeader, leader: leads, size, sizeInUse, revision, lag, alarms };
  });
}

const silent = { healthy: false, leader: false, size: 0, sizeInUse: 0, revision: 0n, lag: 0n };

export function memberFromWire(member: IMember): StoreMember {
  return {
    id: member.ID,
    name: member.name,
    peerUrls: member.peerURLs,
    clientUrls: member.clientURLs,
    learner: member.isLearner,
  };
}

/** Undefined when it does not answer. A member that has not started yet has no client URL. */
async function ask(
  { clock, credentials, identity, disks }: MembersParts,
  { attemptTimeout }: MembersSettings,
  member: StoreMember,
): Promise<Condition | undefined> {
  const [url] = member.clientUrls;
  if (url === undefined) return undefined;
  const at = { clock, ...(credentials !== undefined && { credentials }), ...(identity !== undefined && { identity }) };
  const asking = atMember(at, member.clientUrls, attemptTimeout, 'asking an etcd member', (pool, { clients }, bounds) =>
    pool.call(clients.maintenance.status.bind(clients.maintenance), {}, bounds, noLeaderNeeded),
  );
  const [status, fsyncs] = await Promise.all([
    asking.catch(() => undefined),
    readFsyncs(url, attemptTimeout, credentials?.tls),
  ]);
  if (status === undefined) return undefined;
  return {
    hasLeader: status.leader !== '0',
    leads: status.leader === member.id,
    size: Number(status.dbSize),
    sizeInUse: Number(status.dbSizeInUse),
    revision: BigInt(status.header.revision),
    committed: BigInt(status.raftIndex),
    applied: BigInt(status.raftAppliedIndex),
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
