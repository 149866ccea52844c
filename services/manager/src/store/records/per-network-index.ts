import { CausewayError, clip, type Name, type NetworkId, type ReferredNoun } from '@causeway/model';
import { entry, prune } from './entries.ts';
import type { Index, Versioned } from './kind.ts';

/** A record that belongs to a network. Its name is unique in that network only. */
export interface OfNetwork<Id extends string> {
  readonly id: Id;
  readonly network: NetworkId;
  readonly name: Name;
}

/** Records that belong to networks, by id, network and name. */
export class PerNetworkIndex<Id extends string, Value extends OfNetwork<Id>>
  implements Index<{ readonly id: Id }, Versioned<Value>>
{
  readonly #what: ReferredNoun;
  readonly #all = new Map<Id, Versioned<Value>>();
  readonly #byNetwork = new Map<NetworkId, Map<Id, Versioned<Value>>>();
  readonly #byName = new Map<Name, Map<NetworkId, Id>>();

  constructor(what: ReferredNoun) {
    this.#what = what;
  }

  get all(): ReadonlyMap<Id, Versioned<Value>> {
    return this.#all;
  }

  get({ id }: { readonly id: Id }): Versioned<Value> | undefined {
    return this.#all.get(id);
  }

  of(network: NetworkId): ReadonlyMap<Id, Versioned<Value>> {
    return this.#byNetwork.get(network) ?? new Map();
  }

  named(network: NetworkId, name: Name): Versioned<Value> | undefined {
    const id = this.#byName.get(name)?.get(network);
    return id === undefined ? undefined : this.#all.get(id);
  }

  /** Finds a record by id, else by name if only one network has that name. */
  find(reference: string, networkName: (id: NetworkId) => string): Versioned<Value> {
    const byId = this.#all.get(reference as Id);
    if (byId !== undefined) return byId;
    const holders = [...(this.#byName.get(reference as Name) ?? [])];
    const [only, ...others] = holders;
    const found = only === undefined ? undefined : this.#all.get(only[1]);
    if (found === undefined) throw this.unknown(reference);
    if (others.length === 0) return found;
    const choices = holders.map(([network]) => `${networkName(network)}/${reference}`).sort();
    const what = `${/^[aeiou]/.test(this.#what) ? 'an' : 'a'} ${this.#what}`;
    const message = `${choices.length} networks have ${what} "${clip(reference)}": say which, ${choices.slice(0, 5).join(' or ')}`;
    throw new CausewayError('name-ambiguous', message, { field: this.#what, value: clip(reference) });
  }

  unknown(reference: string): CausewayError {
    return new CausewayError(`${this.#what}-unknown`, `there is no ${this.#what} "${clip(reference)}"`, {
      field: this.#what,
      value: clip(reference),
    });
  }

  set({ id }: { readonly id: Id }, after: Versioned<Value>): void {
    const { network, name } = after.value;
    this.delete({ id });
    this.#all.set(id, after);
    entry(this.#byNetwork, network, () => new Map<Id, Versioned<Value>>()).set(id, after);
    entry(this.#byName, name, () => new Map<NetworkId, Id>()).set(network, id);
  }

  delete({ id }: { readonly id: Id }): void {
    const gone = this.#all.get(id);
    if (gone === undefined) return;
    const { network, name } = gone.value;
    this.#all.delete(id);
    prune(this.#byNetwork, network, (members) => members.delete(id));
    prune(this.#byName, name, (holders) => {
      if (holders.get(network) === id) holders.delete(network);
    });
  }
}
