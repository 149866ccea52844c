import type { Namespace } from './kinds/table.ts';

/** The slots whose objects have a key on a link, so that notifications and reads can name them one by one. */
export type EntrySlot = {
  [Slot in keyof Namespace]: Namespace[Slot] extends ReadonlyMap<string, ReadonlyMap<infer _, unknown>> ? Slot : never;
}[keyof Namespace];

export type EntryKey<Slot extends EntrySlot> =
  Namespace[Slot] extends ReadonlyMap<string, ReadonlyMap<infer Key, unknown>> ? Key : never;

/** The keys of objects, by slot and link name. */
export type EntryKeys = { readonly [Slot in EntrySlot]?: ReadonlyMap<string, ReadonlySet<EntryKey<Slot>>> };

/** Where something in a namespace has changed. A read must find out what it is now. */
export interface Changes {
  /** Links that changed or are gone. */
  readonly links: ReadonlySet<string>;
  readonly entries: EntryKeys;
  /** Something that is not named has changed too: an address, a route, or too many entries to name. */
  readonly more: boolean;
}

/** With more entries than this, a dump is cheaper: it reads 20,000 entries in the time of 1,000 single requests. */
const mostNamed = 256;

/** Collects changes. */
export class ChangeSet implements Changes {
  readonly links = new Set<string>();
  readonly entries: { [Slot in EntrySlot]?: Map<string, Set<EntryKey<Slot>>> } = {};
  more = false;
  #named = 0;

  add<Slot extends EntrySlot>(slot: Slot, dev: string, key: EntryKey<Slot>): void {
    const byLink = this.#of(slot);
    const keys = byLink.get(dev) ?? new Set();
    if (keys.has(key)) return;
    if (this.#named === mostNamed) {
      this.more = true;
      return;
    }
    byLink.set(dev, keys.add(key));
    this.#named++;
  }

  include({ links, entries, more }: Changes): void {
    for (const link of links) this.links.add(link);
    for (const [slot, byLink] of entriesOf(entries)) {
      for (const [dev, keys] of byLink) for (const key of keys) this.add(slot, dev, key);
    }
    this.more ||= more;
  }

  get isEmpty(): boolean {
    return this.links.size === 0 && Object.keys(this.entries).length === 0 && !this.more;
  }

  #of(slot: EntrySlot): Map<string, Set<unknown>> {
    const all = this.entries as { [Slot in EntrySlot]?: Map<string, Set<unknown>> };
    all[slot] ??= new Map();
    return all[slot];
  }
}

/** The keys of each slot that has any. */
export function entriesOf(
  entries: EntryKeys,
): readonly (readonly [EntrySlot, ReadonlyMap<string, ReadonlySet<EntryKey<EntrySlot>>>])[] {
  return Object.entries(entries) as [EntrySlot, ReadonlyMap<string, ReadonlySet<EntryKey<EntrySlot>>>][];
}
