import { type ItemOf, type ListedName, records, type ViewChange } from '../store/records/index.ts';
import type { KeyKind, RecordKind, Versioned } from '../store/records/kind.ts';
import type { View } from '../store/view.ts';
import { type Item, keptChanges, ObjectCache, type ObjectCacheSettings } from './object-cache.ts';

interface Listed {
  readonly name: ListedName;
  readonly kind: RecordKind;
  readonly cache: ObjectCache<Item>;
}

/** The objects of a view, in order and with their latest changes. Lists and watches are answered from them. */
export class ObjectCaches {
  readonly #view: View;
  /** Cache of each kind. */
  readonly #listed = new Map<string, Listed>();

  constructor(view: View, settings: ObjectCacheSettings = { kept: keptChanges }) {
    this.#view = view;
    for (const [name, kind] of Object.entries<KeyKind | RecordKind>(records)) {
      if (!('fields' in kind)) continue;
      this.#listed.set(kind.kind, { name: name as ListedName, kind, cache: new ObjectCache(settings) });
    }
    this.#reset(view.revision);
    view.subscribe((changes) => {
      for (const change of changes) this.#take(change);
    });
  }

  of<Name extends ListedName>(name: Name): ObjectCache<ItemOf<Name>> {
    return this.#listed.get(records[name].kind)?.cache as ObjectCache<Item> as ObjectCache<ItemOf<Name>>;
  }

  /** Ends all watches. */
  end(): void {
    for (const { cache } of this.#listed.values()) cache.end();
  }

  /** Takes one step of a change. It never reads the view, which already has all steps of the change. */
  #take(change: ViewChange): void {
    if (change.kind === 'reset') this.#reset(change.revision);
    const listed = this.#listed.get(change.kind);
    if (listed === undefined || !('id' in change)) return;
    const { id, after, revision } = change;
    const before = this.#nameOf(change.kind, id);
    if (after === undefined) listed.cache.delete(id, revision);
    else listed.cache.set(this.#item(listed, after as Item), revision);
    if (before !== this.#nameOf(change.kind, id)) this.#renamed(change.kind, id, revision);
  }

  /** Kinds whose records refer to others come after these in `records`, so the names are there already. */
  #reset(revision: bigint): void {
    for (const listed of this.#listed.values()) {
      const all: Iterable<Item> = this.#view.records(listed.name).all.values();
      const items = Array.from(all, (record) => this.#item(listed, record));
      listed.cache.reset(revision, items);
    }
  }

  /** Updates all items that contain the name of that record. */
  #renamed(kind: string, id: string, revision: bigint): void {
    for (const listed of this.#listed.values()) {
      const references = Object.values(listed.kind.names ?? {}).filter((reference) => reference.kind === kind);
      const concerned = ({ value }: Item): boolean =>
        references.some((reference) => reference.id(value as never) === id);
      if (references.length === 0) continue;
      for (const item of [...listed.cache.all.values()].filter(concerned))
        listed.cache.set(this.#item(listed, item), revision);
    }
  }

  /** The item of a record. A record that refers to no other stays as it is. */
  #item({ kind: { names: references } }: Listed, record: Item & Pick<Versioned<unknown>, 'created'>): Item {
    if (references === undefined) return record;
    const { value, revision, created } = record;
    const names = Object.entries(references).map(([name, { kind, id, unknown }]) => {
      const of = id(value as never);
      return [name, this.#nameOf(kind, of) ?? unknown(of)];
    });
    const item = { value, revision, ...(created !== undefined && { created }), names: Object.fromEntries(names) };
    return item;
  }

  #nameOf(kind: string, id: string): string | undefined {
    return this.#listed.get(kind)?.cache.all.get(id)?.value.name;
  }
}
