import {
  type Changes,
  hostEnd,
  type Namespace,
  type NetnsPath,
  namedPart,
  overlayNetns,
  type ReadScope,
  type State,
} from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import type { Sandbox } from '../disk/sandbox.ts';
import type { DirtyPart } from './scope.ts';

/**
 * The part of a network's desired state that must be compared after these changes in the network's namespace. When the
 * outer end of a container's pair changes, the container's namespace is part of it. A change in a container is reported as a
 * change of the outer end. Entries are compared one by one, unless a link changed with which the kernel drops entries.
 */
export function partOf(
  desired: State,
  networkId: NetworkId,
  sandboxes: readonly Sandbox[],
  changes: Changes,
): DirtyPart {
  const part = new Map<NetnsPath, Namespace>();
  const scopes = new Map<NetnsPath, ReadScope>();
  const containers = new Map(sandboxes.map(({ endpoint, netns }) => [hostEnd(endpoint.id), netns]));
  const netns = overlayNetns(networkId);
  const overlay = desired.get(netns);
  if (overlay === undefined) return { kind: 'dirty', desired: part, scopes };
  const named = [...changes.links].every((link) => containers.has(link)) ? namedPart(overlay, changes) : undefined;
  part.set(netns, named?.desired ?? overlay);
  if (named !== undefined) scopes.set(netns, named.scope);
  for (const link of changes.links) {
    const container = containers.get(link);
    const within = container === undefined ? undefined : desired.get(container);
    if (container !== undefined && within !== undefined) part.set(container, within);
  }
  return { kind: 'dirty', desired: part, scopes };
}
