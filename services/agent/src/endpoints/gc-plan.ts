import type { EndpointId, Name, NetworkId, Stamp } from '@causeway/model';
import { ReleaseReason } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { Sandbox } from '../disk/sandbox.ts';
import type { Table } from '../tables/table.ts';

/** A claim may exist this long without a sandbox, so that a caller that retries after a crash still finds the claim. */
export const orphanGrace = seconds(10);
/** Pauses between tries: of requests that the managers have not answered, and of claims that they have refused. */
const retry = seconds(1);
const retryRefused = seconds(30);

export interface GcView {
  readonly table: (networkId: NetworkId) => Table | undefined;
  /** Rows of this host's endpoints. */
  readonly ownRows: Iterable<readonly [EndpointId, NetworkId]>;
  readonly sandboxes: Iterable<Sandbox>;
  /** Stamp up to which nothing is missing in the tables; undefined: not confirmed yet. */
  readonly confirmed: Stamp | undefined;
  /** Networks that a manager has withdrawn and not sent again, with the epoch of the withdrawal. */
  readonly withdrawn: ReadonlyMap<NetworkId, bigint>;
  /** Endpoints whose containers were found dead. */
  readonly lost: ReadonlySet<EndpointId>;
  /** Whether an attach or detach of the endpoint is under way. */
  readonly isUnderWay: (id: EndpointId, name: Name) => boolean;
  /** Since when a row of this host has been without a sandbox, ms of the monotonic clock. */
  readonly orphanedSince: ReadonlyMap<EndpointId, number>;
  /** A new epoch has begun, and not everything of earlier epochs is settled. */
  readonly recovering: boolean;
  /** When the managers last refused the endpoint, ms of the monotonic clock. */
  readonly refusedAt: ReadonlyMap<EndpointId, number>;
  readonly now: number;
}

export interface Release {
  readonly id: EndpointId;
  readonly name: Name;
  readonly reason: ReleaseReason;
}

export interface GcPlan {
  /** Endpoints to be released at the managers. */
  readonly release: readonly Release[];
  /** Sandboxes whose endpoint is gone. */
  readonly forget: readonly EndpointId[];
  /** Sandboxes whose endpoints the new epoch knows, with their claims moved to that epoch. */
  readonly renew: readonly Sandbox[];
  /** Sandboxes to be claimed again, because the restored store does not know their endpoints. */
  readonly reclaim: readonly Sandbox[];
  /** Whether the recovery of this host is over when this plan has been carried out. */
  readonly recovers: boolean;
  readonly orphanedSince: ReadonlyMap<EndpointId, number>;
  /** When to plan again if nothing changes before; undefined: not needed. */
  readonly again: Duration | undefined;
}

/**
 * Compares claims with sandboxes, and plans how to clean up after a crash, a vanished container, a release elsewhere or a
 * restore of the store. A living container's sandbox of an earlier epoch is kept, whatever the tables say: the new epoch
 * either knows its endpoint, or the agent claims the endpoint again.
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
      const known = view.table(sandbox.endpoint.network)?.rows.endpoint.has(id) === true;
      const since = view.refusedAt.get(id);
      if (known) renew.push(inEpoch(sandbox, confirmed.epoch));
      else if (view.lost.has(id)) forget.push(id);
      else if (since === undefined || now - since >= retryRefused) reclaim.push(sandbox);
      else waits.push(milliseconds(retryRefused - (now - since)));
    } else if (isGone(sandbox, view)) forget.push(id);
    else if (view.lost.has(id)) release.push({ id, name, reason: ReleaseReason.CONTAINER_GONE });
  }
  // A restored store may bring back endpoints that were released. These may hold what other endpoints need, so they are
  // released at once.
  const grace = view.recovering ? milliseconds(0) : orphanGrace;
  const orphanedSince = new Map<EndpointId, number>();
  for (const [id, networkId] of confirmed === undefined ? [] : view.ownRows) {
    const name = view.table(networkId)?.rows.endpoint.get(id)?.name;
    if (attached.has(id) || name === undefined || view.isUnderWay(id, name)) continue;
    const since = view.orphanedSince.get(id) ?? now;
    orphanedSince.set(id, since);
    const left = grace - (now - since);
    if (left <= 0) release.push({ id, name, reason: ReleaseReason.CONTAINER_UNKNOWN });
    else waits.push(milliseconds(Math.max(left, retry)));
  }
  if (release.length > 0 || reclaim.length > 0) waits.push(retry);
  const again = waits.length === 0 ? undefined : milliseconds(Math.min(...waits));
  return { release, forget, renew, reclaim, recovers, orphanedSince, again };
}

/** Both epochs have the same history up to the restore. So a claim that both know keeps its revision. */
function inEpoch({ refused: _, ...sandbox }: Sandbox, epoch: bigint): Sandbox {
  return { ...sandbox, claimed: { epoch, revision: sandbox.claimed.revision } };
}

/** Whether the managers have reported, in the claim's epoch and after the claim, a state without the endpoint. */
function isGone({ endpoint, claimed }: Sandbox, { table, confirmed, withdrawn }: GcView): boolean {
  const held = table(endpoint.network);
  if (confirmed === undefined || held?.rows.endpoint.has(endpoint.id) === true) return false;
  const isPast = (stamp: Stamp): boolean => stamp.epoch === claimed.epoch && stamp.revision >= claimed.revision;
  if (held === undefined) return withdrawn.get(endpoint.network) === claimed.epoch || isPast(confirmed);
  // A leader that has just loaded the store does not see deletions, so a table may have a smaller revision than the
  // claim.
  return isPast(held) || (held.epoch === claimed.epoch && isPast(confirmed));
}
