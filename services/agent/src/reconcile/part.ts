import {
  ChangeSet,
  type Changes,
  hostEnd,
  type Namespace,
  type NetnsPath,
  newNamespace,
  overlayNetns,
  type ReadScope,
  type State,
} from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import type { Sandbox } from '../disk/sandbox.ts';
import type { DirtyPart } from './scope.ts';

/**
 * The part of a network's desired state that must be compared after these changes in the network's namespace. When the
 * outer end of a container's pair changes, the container's namespace is part of it. The agent has no watch inside
 * containers: the sweep finds what changes only there. Entries are compared one by one, unless a link changed with which
 * the kernel drops entries.
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
  if (changes.more || [...changes.links].some((link) => !containers.has(link))) part.set(netns, overlay);
  else {
    const keys = withLinks(changes, overlay);
    part.set(netns, named(overlay, keys));
    scopes.set(netns, { links: [...keys.links], entries: keys, sysctls: [] });
  }
  for (const link of changes.links) {
    const container = containers.get(link);
    const within = container === undefined ? undefined : desired.get(container);
    if (container !== undefined && within !== undefined) part.set(container, within);
  }
  return { kind: 'dirty', desired: part, scopes };
}

/** The kernel drops a port's FDB entries with the port. */
function withLinks(changes: Changes, { fdb }: Namespace): Changes {
  const all = new ChangeSet();
  all.include(changes);
  for (const link of changes.links) for (const mac of fdb.get(link)?.keys() ?? []) all.addFdb(link, mac);
  return all;
}

function named({ links, fdb, neighbours }: Namespace, changes: Changes): Namespace {
  return {
    ...newNamespace(),
    links: pick(links, changes.links),
    fdb: new Map([...changes.fdb].map(([dev, macs]) => [dev, pick(fdb.get(dev), macs)])),
    neighbours: new Map([...changes.neighbours].map(([dev, ips]) => [dev, pick(neighbours.get(dev), ips)])),
  };
}

function pick<Key, Value>(from: ReadonlyMap<Key, Value> | undefined, keys: ReadonlySet<Key>): Map<Key, Value> {
  const picked = new Map<Key, Value>();
  for (const key of keys) {
    const value = from?.get(key);
    if (value !== undefined) picked.set(key, value);
  }
  return picked;
}
