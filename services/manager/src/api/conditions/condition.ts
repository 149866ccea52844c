import { listNames, type Network } from '@causeway/model';
import { earliest, latest, type Moment, never } from '../../store/moment.ts';

/** What is true of an object now. docs/protocol.md lists types and reasons. */
export interface Condition {
  readonly type: 'Allocated' | 'Programmed' | 'Settled' | 'Ready' | 'Attachable' | 'Degraded';
  readonly status: 'true' | 'false' | 'unknown';
  /** One word for programs. */
  readonly reason: string;
  /** Text for people. */
  readonly message: string;
  /** Since when the status holds, as far as this manager knows. */
  readonly since: Moment;
}

/** A record of the store, and when it was last written. */
export interface Recorded<Value> {
  readonly value: Value;
  readonly written: Moment;
}

/** A host as the leader sees it. */
export interface HostState {
  readonly name: string;
  /** "syncing": the host is still receiving what it missed. */
  readonly session: 'ready' | 'syncing' | 'none';
  /** Since when the host has a session, or has none. */
  readonly since: Moment;
  /** Number of differences between intent and kernel that remain. `driftSince`: since when there are some, or none. */
  readonly drift: number;
  readonly driftSince: Moment;
}

/** Which hosts have programmed a revision. */
export interface Progress {
  readonly revision: bigint;
  /** When the store reached that revision. */
  readonly since: Moment;
  readonly have: number;
  readonly waiting: readonly HostState[];
  readonly unreachable: readonly HostState[];
}

/** A reason why an object is degraded. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
  readonly since: Moment;
}

/** A host whose underlay carries less than a network's frames need. */
export interface SmallHost {
  readonly name: string;
  /** Largest packet inside the overlay that the host's underlay carries, bytes. */
  readonly room: number;
  /** When the host's record was written. */
  readonly written: Moment;
}

/** The problem exists since the network has this MTU and the host this underlay, whichever was written last. */
export function underlayTooSmall(network: Recorded<Network>, small: readonly SmallHost[]): Problem {
  const { name, mtu } = network.value;
  const rooms = [...new Set(small.map(({ room }) => room))].sort((a, b) => a - b).join(' or ');
  const message = `MTU ${mtu.bytes} of ${name} is more than ${listNames(small)} ${small.length === 1 ? 'carries' : 'carry'}, ${rooms}: full-size frames are lost or cut there`;
  const since = earliest(small.map(({ written }) => latest(network.written, written)));
  return { reason: 'UnderlayTooSmall', message, since };
}

/** "2 differences to the intent stand on h1" */
export function driftText(count: number, on = ''): string {
  return `${count === 1 ? '1 difference from the desired state remains' : `${count} differences from the desired state remain`}${on}`;
}

/** A condition that only the leader knows, while there is no leader. */
export function unknown(type: Condition['type']): Condition {
  return { type, status: 'unknown', reason: 'NoLeader', message: 'no manager leads at this moment', since: never };
}

/** True when no ready host still has to apply the revision. */
export function programmed({ revision, since: changed, have, waiting, unreachable }: Progress): Condition {
  const type = 'Programmed';
  const lost = unreachable.length === 0 ? '' : `; no session with ${listNames(unreachable)}`;
  if (waiting.length > 0) {
    const message = `waiting for ${listNames(waiting)} to apply revision ${revision}${lost}`;
    const began = waiting.map((host) => latest(changed, host.since));
    return { type, status: 'false', reason: 'Waiting', message, since: earliest(began) };
  }
  const since = latest(changed, ...unreachable.map((host) => host.since));
  if (have > 0)
    return {
      type,
      status: 'true',
      reason: 'AllApplied',
      message: `${have} ${have === 1 ? 'host has' : 'hosts have'} applied revision ${revision}${lost}`,
      since,
    };
  if (unreachable.length > 0) return { type, status: 'unknown', reason: 'HostsLost', message: lost.slice(2), since };
  return { type, status: 'true', reason: 'NoHosts', message: 'no host needs it', since };
}

/**
 * True while there is any problem; the first problem is the worst. When there is none: healthy since the newest time in
 * `since`.
 */
export function degraded(problems: readonly Problem[], since: readonly Moment[]): Condition {
  const type = 'Degraded';
  const [worst] = problems;
  if (worst === undefined) return { type, status: 'false', reason: 'Healthy', message: '', since: latest(...since) };
  const message = problems.map((problem) => problem.message).join('; ');
  return {
    type,
    status: 'true',
    reason: worst.reason,
    message,
    since: earliest(problems.map((problem) => problem.since)),
  };
}
