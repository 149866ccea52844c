import { listNames, type Node } from '@causeway/model';
import { earliest, latest, type Moment } from '../../store/moment.ts';
import {
  type Condition,
  degraded,
  driftText,
  type HostState,
  type Problem,
  type Recorded,
  unknown,
} from './condition.ts';

export interface NodeFacts {
  readonly node: Recorded<Node>;
  /** The networks on which the host has an endpoint. */
  readonly networks: readonly NetworkOnHost[];
  /** Absent: no manager leads. */
  readonly state?: HostState;
}

export interface NetworkOnHost {
  readonly name: string;
  /** When the network last changed. */
  readonly changed: Moment;
  /** The host has reported that it applied that change. */
  readonly applied: boolean;
  /** The network has larger packets than the host's underlay carries. */
  readonly exceedsUnderlay: boolean;
}

export function nodeConditions({ node, networks, state }: NodeFacts): readonly Condition[] {
  if (state === undefined) return [unknown('Ready'), unknown('Programmed'), unknown('Degraded'), attachable(node)];
  return [ready(state), upToDate(networks, state), health(node, networks, state), attachable(node)];
}

/** Since the record was written last: an earlier change of its other fields is not told apart. */
function attachable({ value: { drained = false }, written: since }: Recorded<Node>): Condition {
  const type = 'Attachable';
  return drained
    ? { type, status: 'false', reason: 'Drained', message: 'it is drained: it gets no new endpoints', since }
    : { type, status: 'true', reason: 'Open', message: 'it gets new endpoints', since };
}

function ready({ session, since }: HostState): Condition {
  const type = 'Ready';
  switch (session) {
    case 'ready':
      return { type, status: 'true', reason: 'Session', message: 'its agent has a session', since };
    case 'syncing':
      return {
        type,
        status: 'false',
        reason: 'Syncing',
        message: 'its agent is catching up',
        since,
      };
    case 'none':
      return { type, status: 'false', reason: 'NoSession', message: 'its agent has no session', since };
  }
}

function upToDate(networks: readonly NetworkOnHost[], { session, since }: HostState): Condition {
  const type = 'Programmed';
  if (session === 'none') return silent(type, since);
  const behind = networks.filter(({ applied }) => !applied);
  if (behind.length === 0) {
    const message = `${networks.length} ${networks.length === 1 ? 'network' : 'networks'} applied`;
    const current = latest(since, ...networks.map(({ changed }) => changed));
    return { type, status: 'true', reason: 'AllApplied', message, since: current };
  }
  const oldest = earliest(behind.map(({ changed }) => changed));
  const message = `not yet applied: ${listNames(behind)}`;
  return { type, status: 'false', reason: 'Waiting', message, since: latest(oldest, since) };
}

function health({ written }: Recorded<Node>, networks: readonly NetworkOnHost[], state: HostState): Condition {
  const { session, since, drift, driftSince } = state;
  const large = networks.filter(({ exceedsUnderlay }) => exceedsUnderlay);
  const problems: Problem[] = [
    ...(session !== 'none' && drift > 0 ? [{ reason: 'Drift', message: driftText(drift), since: driftSince }] : []),
    ...(large.length > 0
      ? [
          {
            reason: 'UnderlayTooSmall',
            message: `its underlay is too small for ${listNames(large)}`,
            since: earliest(large.map((network) => latest(network.changed, written))),
          },
        ]
      : []),
  ];
  if (problems.length === 0 && session === 'none') return silent('Degraded', since);
  return degraded(problems, [written, since, driftSince]);
}

/** While a host is silent, the state of its kernel is unknown. */
function silent(type: Condition['type'], since: Moment): Condition {
  return { type, status: 'unknown', reason: 'NoSession', message: 'its agent has no session', since };
}
