import { CausewayError, clip, type Name } from '@causeway/model';
import type { Versioned } from './view-change.ts';

/** Records by id and by their unique name. */
export class RecordIndex<Id extends string, Value extends { readonly name: Name }> {
  readonly #what: 'network' | 'node';
  readonly #byId = new Map<Id, Versioned<Value>>();
  readonly #byName = new Map<Name, Id>();

  constructor(what: 'network' | 'node') {
    this.#what = what;
  }

  get all(): ReadonlyMap<Id, Versioned<Value>> {
    return this.#byId;
  }

  set(id: Id, after: Versioned<Value>): { before?: Versioned<Value>; after: Versioned<Value> } {
    const before = this.#byId.get(id);
    if (before !== undefined) this.#forgetName(id, before);
    this.#byId.set(id, after); // a change keeps its place in the order
    this.#byName.set(after.value.name, id);
    return before === undefined ? { after } : { before, after };
  }

  delete(id: Id): Versioned<Value> | undefined {
    const gone = this.#byId.get(id);
    if (gone === undefined) return undefined;
    this.#byId.delete(id);
    this.#forgetName(id, gone);
    return gone;
  }

  named(name: Name): Versioned<Value> | undefined {
    const id = this.#byName.get(name);
    return id === undefined ? undefined : this.#byId.get(id);
  }

  find(nameOrId: string): Versioned<Value> {
    const found = this.#byId.get(nameOrId as Id) ?? this.named(nameOrId as Name);
    if (found !== undefined) return found;
    throw new CausewayError(`${this.#what}-unknown`, `there is no ${this.#what} "${clip(nameOrId)}"`, {
      field: this.#what,
      value: clip(nameOrId),
    });
  }

  #forgetName(id: Id, { value }: Versioned<Value>): void {
    if (this.#byName.get(value.name) === id) this.#byName.delete(value.name);
  }
}
