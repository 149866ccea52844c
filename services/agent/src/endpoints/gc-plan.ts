import type { EndpointId, Name, NetworkId, Stamp } from '@causeway/model';
import { ReleaseReason } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Table } from '../tables/table.ts';

/** A claim may be this far ahead of its sandbox: a caller that retries after a crash still finds it. */
export const orphanGrace = seconds(10);
/** Between tries of what the managers do not answer yet, and of what they have refused. */
const retry = seconds(1);
const retryRefused = seconds(30);

export interface GcView {
  readonly table: (networkId: NetworkId) => Table | undefined;
  /** Rows of this host. */
  readonly ownRows: Iterable<readonly [EndpointId, NetworkId]>;
  readonly sandboxes: Iterable<Sandbox>;
  /** Up to where nothing is missing in the tables; undefined: no session yet. */
  readonly confirmed: Stamp | undefined;
  /** Networks a manager has withdrawn and not given again, with the epoch in which. */
  readonly withdrawn: ReadonlyMap<NetworkId, bigint>;
  /** Containers found dead. */
  readonly lost: ReadonlySet<EndpointId>;
  /** An attach or detach of the endpoint is at work. */
  readonly isUnderWay: (id: EndpointId, name: Name) => boolean;
  /** Since when an own row has been without sandbox, by the monotonic clock. */
  readonly orphanedSince: ReadonlyMap<EndpointId, number>;
  /** An epoch has begun, and what is of an earlier one is not all settled yet. */
  readonly recovering: boolean;
  /** When the managers last refused an endpoint, by the monotonic clock. */
  readonly refusedAt: ReadonlyMap<EndpointId, number>;
  readonly now: number;
}

export interface Release {
  readonly id: EndpointId;
  readonly reason: ReleaseReason;
}

export interface GcPlan {
  /** To be given back to the managers. */
  readonly release: readonly Release[];
  /** Sandboxes whose endpoint is gone. */
  readonly forget: readonly EndpointId[];
  /** Sandboxes as they are in the epoch that has begun: it knows their endpoints. */
  readonly renew: readonly Sandbox[];
  /** Sandboxes whose endpoints the restored store does not know: to be claimed again. */
  readonly reclaim: readonly Sandbox[];
  /** Once all this is done, nothing of an earlier epoch waits. */
  readonly recovers: boolean;
  readonly orphanedSince: ReadonlyMap<EndpointId, number>;
  /** When to look again if nothing happens before; undefined: no need. */
  readonly again: Duration | undefined;
}

/**
 * Heals what a crash, a vanished container, somebody else's release or a restored store has left, by comparing claims with
 * sandboxes. A sandbox of an earlier epoch is kept, whatever tables say: the new epoch either knows its endpoint, or is
 * asked to give it back.
 */
export function planGc(view: GcView): GcPlan {
  const { confirmed, now } = view;
  const forget: EndpointId[] = [];
  const release: Release[] = [];
  const renew: Sandbox[] = [];
  const reclaim: Sandbox[] = [];
  const waits: Duration[] = [];
  const attached = new Set<EndpointId>();
  let recovers = confirmed !== undefined;
  for (const sandbox of view.sandboxes) {
    const { id, name } = sandbox.endpoint;
    attached.add(id);
    const isFormer = confirmed !== undefined && sandbox.claimed.epoch < confirmed.epoch;
    if (view.isUnderWay(id, name)) {
      if (isFormer) recovers = false;
    } else if (isFormer) {
      const known = view.table(sandbox.endpoint.network)?.rows.has(id) === true;
      const since = view.refusedAt.get(id);
      if (known) renew.push(inEpoch(sandbox, confirmed.epoch));
      else if (view.lost.has(id)) forget.push(id);
      else if (since === undefined || now - since >= retryRefused) reclaim.push(sandbox);
      else waits.push(milliseconds(retryRefused - (now - since)));
    } else if (isGone(sandbox, view)) forget.push(id);
    else if (view.lost.has(id)) release.push({ id, reason: ReleaseReason.CONTAINER_GONE });
  }
  // What a restored store brings back of released endpoints may be what stands in the way of others.
  const grace = view.recovering ? milliseconds(0) : orphanGrace;
  const orphanedSince = new Map<EndpointId, number>();
  for (const [id, networkId] of confirmed === undefined ? [] : view.ownRows) {
    const name = view.table(networkId)?.rows.get(id)?.name;
    if (attached.has(id) || name === undefined || view.isUnderWay(id, name)) continue;
    const since = view.orphanedSince.get(id) ?? now;
    orphanedSince.set(id, since);
    const left = grace - (now - since);
    if (left <= 0) release.push({ id, reason: ReleaseReason.CONTAINER_UNKNOWN });
    else waits.push(milliseconds(Math.max(left, retry)));
  }
  if (release.length > 0 || reclaim.length > 0) waits.push(retry);
  const again = waits.length === 0 ? undefined : milliseconds(Math.min(...waits));
  return { release, forget, renew, reclaim, recovers, orphanedSince, again };
}

/** Up to the restore both epochs are one history, so the revision of a claim that both know stays. */
function inEpoch({ refused: _, ...sandbox }: Sandbox, epoch: bigint): Sandbox {
  return { ...sandbox, claimed: { epoch, revision: sandbox.claimed.revision } };
}

/** The managers have spoken since the claim, in its epoch, and the endpoint is not among what they said. */
function isGone({ endpoint, claimed }: Sandbox, { table, confirmed, withdrawn }: GcView): boolean {
  if (confirmed === undefined) return false;
  const isPast = (stamp: Stamp): boolean => stamp.epoch === claimed.epoch && stamp.revision >= claimed.revision;
  const held = table(endpoint.network);
  if (held === undefined) return withdrawn.get(endpoint.network) === claimed.epoch || isPast(confirmed);
  // A leader that has just loaded the store does not see deletions, so a table may come at a smaller revision.
  return !held.rows.has(endpoint.id) && (isPast(held) || (held.epoch === claimed.epoch && isPast(confirmed)));
}
