import {
  ChangeSet,
  type Changes,
  hostEnd,
  type Namespace,
  type NetnsPath,
  overlayNetns,
  type Scope,
  type State,
} from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import type { Sandbox } from '../disk/sandbox.ts';

/** Where a kernel may differ: nowhere, where something was told of in a network's own namespace, or anywhere. */
export type Suspicion = 'nothing' | 'everything' | Changes;

export function both(a: Suspicion, b: Suspicion): Suspicion {
  if (a === 'nothing' || b === 'everything') return b;
  if (b === 'nothing' || a === 'everything') return a;
  const all = new ChangeSet();
  all.include(a);
  all.include(b);
  return all;
}

/** A part of what is wanted, and how to read the same of a kernel. */
export interface Part {
  readonly wanted: State;
  readonly scopes: ReadonlyMap<NetnsPath, Scope>;
}

/**
 * What of the wanted state must be looked at. A container is told of by the end of its pair that is outside; of what only
 * changes inside it nobody tells, and the sweep looks. Entries are looked at one by one, unless a link changed that they
 * fall with.
 */
export function suspected(wanted: State, networkId: NetworkId, sandboxes: readonly Sandbox[], changes: Changes): Part {
  const part = new Map<NetnsPath, Namespace>();
  const scopes = new Map<NetnsPath, Scope>();
  const containers = new Map(sandboxes.map(({ endpoint, netns }) => [hostEnd(endpoint.id), netns]));
  const netns = overlayNetns(networkId);
  const overlay = wanted.get(netns);
  if (overlay === undefined) return { wanted: part, scopes };
  if (changes.more || [...changes.links].some((link) => !containers.has(link))) part.set(netns, overlay);
  else {
    const keys = withLinks(changes, overlay);
    part.set(netns, named(overlay, keys));
    scopes.set(netns, { links: [...keys.links], entries: keys, sysctls: [] });
  }
  for (const link of changes.links) {
    const container = containers.get(link);
    const within = container === undefined ? undefined : wanted.get(container);
    if (container !== undefined && within !== undefined) part.set(container, within);
  }
  return { wanted: part, scopes };
}

/** A port's entries go with it. */
function withLinks(changes: Changes, { fdb }: Namespace): Changes {
  const all = new ChangeSet();
  all.include(changes);
  for (const link of changes.links) for (const mac of fdb.get(link)?.keys() ?? []) all.addFdb(link, mac);
  return all;
}

function named({ links, fdb, neighbours }: Namespace, changes: Changes): Namespace {
  return {
    links: pick(links, changes.links),
    fdb: new Map([...changes.fdb].map(([dev, macs]) => [dev, pick(fdb.get(dev), macs)])),
    neighbours: new Map([...changes.neighbours].map(([dev, ips]) => [dev, pick(neighbours.get(dev), ips)])),
    addresses: new Map(),
    routes: new Map(),
    sysctls: new Map(),
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
