import { ChangeSet, type Changes, type EntrySlot, entriesOf } from './changes.ts';
import { newNamespace } from './draft.ts';
import type { ReadScope } from './kernel.ts';
import { kinds, type Namespace } from './kinds/table.ts';
import { isOurLink } from './owner.ts';
import { hostNetns, type NetnsPath } from './state.ts';

/** The scope that must be read of a namespace to compare it with what is desired there. */
export function scopeOf(netns: NetnsPath, desired: Namespace): ReadScope {
  const sysctls = [...desired.sysctls.keys()];
  if (netns === hostNetns) return { sysctls };
  if (isOurLink(netns)) return { of: slotsOfLinks, sysctls };
  // Nothing in a container is ours to remove, so what has no desired object there need not be read.
  const of = dumped.filter((slot) => desired[slot].size > 0);
  return { links: [...desired.links.keys()], of, sysctls };
}

const dumpedKinds = kinds.filter(({ real }) => real.read !== undefined);
/** The slots that cost a dump. */
const dumped = dumpedKinds.map(({ slot }) => slot);
/** Those whose objects belong to links: all that networks and containers have. */
export const slotsOfLinks = dumpedKinds.filter(({ isOfHost }) => isOfHost !== true).map(({ slot }) => slot);
/** Those of the host namespace, whose objects networks share. */
export const sharedSlots = dumpedKinds.filter(({ isOfHost }) => isOfHost === true).map(({ slot }) => slot);

/** Whether the scope includes this slot of a namespace, of those that cost a dump. */
export function isAskedFor(slot: keyof Namespace, { of }: ReadScope): boolean {
  return of === undefined || of.includes(slot);
}

/** Whether the scope includes the link. */
export function isInScope(name: string, { links }: ReadScope): boolean {
  return links === undefined || links.includes(name);
}

const entrySlots = kinds.filter(({ real }) => real.find !== undefined).map(({ slot }) => slot as EntrySlot);

/**
 * The part of a desired namespace that these changes name, and the scope that reads the same part; undefined: not
 * everything is named. The kernel drops the entries on a link with the link, so they are part of it.
 */
export function namedPart(
  desired: Namespace,
  changes: Changes,
): { readonly desired: Namespace; readonly scope: ReadScope } | undefined {
  const all = new ChangeSet();
  all.include(changes);
  for (const slot of entrySlots) {
    for (const dev of changes.links) for (const key of desired[slot].get(dev)?.keys() ?? []) all.add(slot, dev, key);
  }
  if (all.more) return undefined;
  const entries = entriesOf(all.entries).map(([slot, byLink]) => {
    const ofLinks: ReadonlyMap<string, ReadonlyMap<unknown, unknown>> = desired[slot];
    return [slot, new Map([...byLink].map(([dev, keys]) => [dev, pick(ofLinks.get(dev), keys)]))];
  });
  return {
    desired: { ...newNamespace(), links: pick(desired.links, all.links), ...Object.fromEntries(entries) },
    scope: { links: [...all.links], entries: all.entries, sysctls: [] },
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
