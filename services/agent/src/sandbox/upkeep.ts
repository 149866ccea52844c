import type { EndpointId, Name, NetworkId } from '@causeway/model';
import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { Table } from '../assignments/table.ts';
import type { Sandbox } from './sandbox.ts';

/** A claim may be this far ahead of its sandbox: a caller that retries after a crash still finds it. */
export const orphanGrace = seconds(10);

export interface UpkeepView {
  readonly table: (networkId: NetworkId) => Table | undefined;
  /** Rows of this host. */
  readonly ownRows: Iterable<readonly [EndpointId, NetworkId]>;
  readonly sandboxes: Iterable<Sandbox>;
  /** Store revision up to which nothing is missing in the tables; undefined: no session yet. */
  readonly confirmed: bigint | undefined;
  /** Networks a manager has withdrawn and not given again. */
  readonly withdrawn: ReadonlySet<NetworkId>;
  /** Containers found dead. */
  readonly lost: ReadonlySet<EndpointId>;
  /** An attach or detach of the endpoint is at work. */
  readonly isUnderWay: (id: EndpointId, name: Name) => boolean;
  /** Since when an own row has been without sandbox, by the monotonic clock. */
  readonly orphanedSince: ReadonlyMap<EndpointId, number>;
  readonly now: number;
}

export interface UpkeepPlan {
  /** To be given back to the managers. */
  readonly release: readonly EndpointId[];
  /** Sandboxes whose endpoint is gone. */
  readonly forget: readonly EndpointId[];
  readonly orphanedSince: ReadonlyMap<EndpointId, number>;
  /** When to look again if nothing happens before; undefined: no need. */
  readonly again: Duration | undefined;
}

/** Heals what a crash, a vanished container or somebody else's release has left, by comparing claims with sandboxes. */
export function planUpkeep(view: UpkeepView): UpkeepPlan {
  const forget: EndpointId[] = [];
  const release: EndpointId[] = [];
  const attached = new Set<EndpointId>();
  for (const sandbox of view.sandboxes) {
    const { id, name } = sandbox.endpoint;
    attached.add(id);
    if (view.isUnderWay(id, name)) continue;
    if (isGone(sandbox, view)) forget.push(id);
    else if (view.lost.has(id)) release.push(id);
  }
  const orphanedSince = new Map<EndpointId, number>();
  let again = release.length > 0 ? seconds(1) : undefined;
  for (const [id, networkId] of view.confirmed === undefined ? [] : view.ownRows) {
    const name = view.table(networkId)?.rows.get(id)?.name;
    if (attached.has(id) || name === undefined || view.isUnderWay(id, name)) continue;
    const since = view.orphanedSince.get(id) ?? view.now;
    orphanedSince.set(id, since);
    const left = orphanGrace - (view.now - since);
    if (left <= 0) release.push(id);
    again = milliseconds(Math.min(again ?? orphanGrace, Math.max(left, 1_000)));
  }
  return { release, forget, orphanedSince, again };
}

/** The managers have spoken since the claim, and the endpoint is not among what they said. */
function isGone({ endpoint, revision }: Sandbox, { table, confirmed, withdrawn }: UpkeepView): boolean {
  if (confirmed === undefined) return false;
  const held = table(endpoint.network);
  if (held === undefined) return withdrawn.has(endpoint.network) || confirmed >= revision;
  // A leader that has just loaded the store does not see deletions, so a table may come at a smaller revision.
  return !held.rows.has(endpoint.id) && (held.revision >= revision || confirmed >= revision);
}
