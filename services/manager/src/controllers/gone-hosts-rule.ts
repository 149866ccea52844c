import type { NodeId } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';

/** Time for agents to find a new leader; they try once a second. A host that boots takes longer, but has `goneAfter`. */
const grace = seconds(30);

/** A silence is recorded when it has lasted this long: an agent that restarts or looks for a new leader costs no write. */
const recordAfter = seconds(60);

/** A host with endpoints, or whose silence is recorded. Times are on the clock that runs while a manager leads. */
export interface HostObservation {
  readonly node: NodeId;
  readonly hasEndpoints: boolean;
  /** When this leader lost the host's session, or began to lead without a session; undefined: the host has a session. */
  readonly silentSince: number | undefined;
  /** Begin of the silence that this leader or an earlier one has recorded. */
  readonly recorded: number | undefined;
}

interface Observations {
  readonly now: number;
  /** When this leader began to lead. */
  readonly began: number;
  readonly hosts: Iterable<HostObservation>;
}

export interface GoneHostsPlan {
  /** Hosts whose silence must be recorded, and since when they are silent. */
  readonly record: ReadonlyMap<NodeId, number>;
  /** Hosts whose recorded silence is over or does not matter any more. */
  readonly forget: readonly NodeId[];
  /** Hosts whose endpoints must be released. */
  readonly gone: readonly NodeId[];
}

/**
 * The rule: a host is gone when no leader, this one or an earlier one, has had a session with the host for `goneAfter`.
 * Time without a leader does not count, since no manager listens then. A new leader has no sessions yet, so it first waits
 * for agents to find it. 0: no host is ever gone.
 */
export function planGoneHosts({ now, began, hosts }: Observations, goneAfter: Duration): GoneHostsPlan {
  const record = new Map<NodeId, number>();
  const forget: NodeId[] = [];
  const gone: NodeId[] = [];
  if (now - began < grace) return { record, forget, gone };
  for (const host of hosts) {
    const since = host.hasEndpoints ? silenceOf(host, began) : undefined;
    if (since === undefined) {
      if (host.recorded !== undefined) forget.push(host.node);
      continue;
    }
    if (since !== host.recorded && now - since >= recordAfter) record.set(host.node, since);
    if (goneAfter > 0 && now - since >= goneAfter) gone.push(host.node);
  }
  return { record, forget, gone };
}

/** A recorded silence is over once this leader has had a session with the host. */
function silenceOf({ silentSince, recorded }: HostObservation, began: number): number | undefined {
  if (silentSince === undefined) return undefined;
  return silentSince > began ? silentSince : (recorded ?? silentSince);
}
