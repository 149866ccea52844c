import {
  CausewayError,
  clip,
  type Endpoint,
  type EndpointId,
  type Name,
  type NetworkId,
  type NodeId,
} from '@causeway/model';
import { entry, prune } from './entries.ts';
import type { Index, Versioned } from './kind.ts';

type Stored = Versioned<Endpoint>;

/** Endpoints by id, network, host and name. */
export class EndpointIndex implements Index<{ readonly id: EndpointId }, Stored> {
  readonly #all = new Map<EndpointId, Stored>();
  readonly #byNetwork = new Map<NetworkId, Map<EndpointId, Stored>>();
  readonly #byNode = new Map<NodeId, Map<NetworkId, Set<EndpointId>>>();
  /** A name is unique in a network only. */
  readonly #byName = new Map<Name, Map<NetworkId, EndpointId>>();

  get all(): ReadonlyMap<EndpointId, Stored> {
    return this.#all;
  }

  get({ id }: { readonly id: EndpointId }): Stored | undefined {
    return this.#all.get(id);
  }

  of(network: NetworkId): ReadonlyMap<EndpointId, Stored> {
    return this.#byNetwork.get(network) ?? none;
  }

  on(node: NodeId): ReadonlySet<EndpointId> {
    const ids = new Set<EndpointId>();
    for (const inNetwork of this.#byNode.get(node)?.values() ?? []) for (const id of inNetwork) ids.add(id);
    return ids;
  }

  networksOn(node: NodeId): ReadonlySet<NetworkId> {
    return new Set(this.#byNode.get(node)?.keys());
  }

  named(network: NetworkId, name: Name): Stored | undefined {
    const id = this.#byName.get(name)?.get(network);
    return id === undefined ? undefined : this.#all.get(id);
  }

  /** Finds an endpoint by id, else by name if only one network has that name. */
  find(reference: string, networkName: (id: NetworkId) => string): Stored {
    const byId = this.#all.get(reference as EndpointId);
    if (byId !== undefined) return byId;
    const holders = [...(this.#byName.get(reference as Name) ?? [])];
    const [only, ...others] = holders;
    const found = only === undefined ? undefined : this.#all.get(only[1]);
    if (found === undefined) throw this.unknown(reference);
    if (others.length === 0) return found;
    const choices = holders.map(([network]) => `${networkName(network)}/${reference}`).sort();
    const message = `${choices.length} networks have an endpoint "${clip(reference)}": say which, ${choices.slice(0, 5).join(' or ')}`;
    throw new CausewayError('name-ambiguous', message, { field: 'endpoint', value: clip(reference) });
  }

  unknown(reference: string): CausewayError {
    return new CausewayError('endpoint-unknown', `there is no endpoint "${clip(reference)}"`, {
      field: 'endpoint',
      value: clip(reference),
    });
  }

  set({ id }: { readonly id: EndpointId }, after: Stored): void {
    const { network, node, name } = after.value;
    this.delete({ id });
    this.#all.set(id, after);
    entry(this.#byNetwork, network, () => new Map<EndpointId, Stored>()).set(id, after);
    const onNode = entry(this.#byNode, node, () => new Map<NetworkId, Set<EndpointId>>());
    entry(onNode, network, () => new Set<EndpointId>()).add(id);
    entry(this.#byName, name, () => new Map<NetworkId, EndpointId>()).set(network, id);
  }

  delete({ id }: { readonly id: EndpointId }): void {
    const gone = this.#all.get(id);
    if (gone === undefined) return;
    const { network, node, name } = gone.value;
    this.#all.delete(id);
    prune(this.#byNetwork, network, (members) => members.delete(id));
    prune(this.#byNode, node, (networks) => {
      prune(networks, network, (members) => members.delete(id));
    });
    prune(this.#byName, name, (holders) => {
      if (holders.get(network) === id) holders.delete(network);
    });
  }
}

const none: ReadonlyMap<EndpointId, Stored> = new Map();
