import type { NodeId } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';

/** Agents look for a new leader once a second; a host that boots takes longer, and has `goneAfter` for it. */
export const grace = seconds(30);

/** A silence is written down when it has lasted so long: an agent that restarts, or looks for a new leader, costs no write. */
export const noteAfter = seconds(60);

/** A host with endpoints, or whose silence is noted. Times are on the clock that runs while a manager leads. */
export interface HostSight {
  readonly node: NodeId;
  readonly hasEndpoints: boolean;
  /** When this leader lost its session, or began without one; undefined: it has a session. */
  readonly silentSince: number | undefined;
  /** What this leader or an earlier one has written down. */
  readonly noted: number | undefined;
}

export interface Sight {
  readonly now: number;
  /** When this leader began. */
  readonly began: number;
  readonly hosts: Iterable<HostSight>;
}

export interface GonePlan {
  /** Since when, of those whose silence is to be written down. */
  readonly note: ReadonlyMap<NodeId, number>;
  /** Silences that are over, or of no account any more. */
  readonly forget: readonly NodeId[];
  /** Hosts whose endpoints are to be released. */
  readonly gone: readonly NodeId[];
}

/**
 * The rule: a host is gone when managers that led have heard nothing of it for `goneAfter`, one after the other. Nobody
 * listens while none leads, so that time does not count; and a new leader has heard of nobody, so it first waits for
 * agents to find it. 0: no host is ever gone.
 */
export function planGone({ now, began, hosts }: Sight, goneAfter: Duration): GonePlan {
  const note = new Map<NodeId, number>();
  const forget: NodeId[] = [];
  const gone: NodeId[] = [];
  if (now - began < grace) return { note, forget, gone };
  for (const host of hosts) {
    const since = host.hasEndpoints ? silenceOf(host, began) : undefined;
    if (since === undefined) {
      if (host.noted !== undefined) forget.push(host.node);
      continue;
    }
    if (since !== host.noted && now - since >= noteAfter) note.set(host.node, since);
    if (goneAfter > 0 && now - since >= goneAfter) gone.push(host.node);
  }
  return { note, forget, gone };
}

/** What is noted of a host that this leader has had a session with is over. */
function silenceOf({ silentSince, noted }: HostSight, began: number): number | undefined {
  if (silentSince === undefined) return undefined;
  return silentSince > began ? silentSince : (noted ?? silentSince);
}
