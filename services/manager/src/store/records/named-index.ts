import { CausewayError, clip, type Name, type ReferredNoun } from '@causeway/model';
import type { Index, Versioned } from './kind.ts';

/** Records by id and by their unique name. */
export class NamedIndex<Id extends string, Value extends { readonly name: Name }>
  implements Index<{ readonly id: Id }, Versioned<Value>>
{
  readonly #what: ReferredNoun;
  readonly #byId = new Map<Id, Versioned<Value>>();
  readonly #byName = new Map<Name, Id>();

  constructor(what: ReferredNoun) {
    this.#what = what;
  }

  get all(): ReadonlyMap<Id, Versioned<Value>> {
    return this.#byId;
  }

  get({ id }: { readonly id: Id }): Versioned<Value> | undefined {
    return this.#byId.get(id);
  }

  set({ id }: { readonly id: Id }, record: Versioned<Value>): void {
    this.#forgetName(id);
    this.#byId.set(id, record); // a changed record keeps its place in the order
    this.#byName.set(record.value.name, id);
  }

  delete({ id }: { readonly id: Id }): void {
    this.#forgetName(id);
    this.#byId.delete(id);
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

  #forgetName(id: Id): void {
    const name = this.#byId.get(id)?.value.name;
    if (name !== undefined && this.#byName.get(name) === id) this.#byName.delete(name);
  }
}
