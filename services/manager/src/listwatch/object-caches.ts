import { assertNever, type Endpoint, type Network, type NetworkId, type Node, type NodeId } from '@causeway/model';
import type { Versioned, View, ViewChange } from '../store/view.ts';
import { keptChanges, ObjectCache, type ObjectCacheSettings } from './object-cache.ts';

export type NetworkItem = Versioned<Network>;

export type NodeItem = Versioned<Node>;

/** An endpoint as lists show it: a new name of its network or host is a change of the endpoint, at the same revision. */
export interface EndpointItem extends Versioned<Endpoint> {
  readonly names: { readonly network: string; readonly host: string };
}

/** The objects of a view, in order and with their latest changes: what lists and watches are answered from. */
export class ObjectCaches {
  readonly networks: ObjectCache<NetworkItem>;
  readonly endpoints: ObjectCache<EndpointItem>;
  readonly nodes: ObjectCache<NodeItem>;
  readonly #view: View;

  constructor(view: View, settings: ObjectCacheSettings = { kept: keptChanges }) {
    this.#view = view;
    this.networks = new ObjectCache(settings);
    this.endpoints = new ObjectCache(settings);
    this.nodes = new ObjectCache(settings);
    this.#reset(view.revision);
    view.subscribe((changes) => {
      for (const change of changes) this.#take(change);
    });
  }

  /** Watches end. */
  end(): void {
    for (const cache of [this.networks, this.endpoints, this.nodes]) cache.end();
  }

  /** Step by step, never looking at the view, which already has all steps of this change. */
  #take(change: ViewChange): void {
    const { revision } = change;
    switch (change.kind) {
      case 'network':
        if (change.after === undefined) {
          this.networks.delete(change.id, revision);
        } else {
          const before = this.#networkName(change.id);
          this.networks.set(change.after, revision);
          if (before !== this.#networkName(change.id))
            this.#renamed(({ value }) => value.network === change.id, revision);
        }
        break;
      case 'endpoint':
        if (change.after === undefined) this.endpoints.delete(change.id, revision);
        else this.endpoints.set(this.#named(change.after), revision);
        break;
      case 'node': {
        const before = this.#hostName(change.id);
        if (change.after === undefined) this.nodes.delete(change.id, revision);
        else this.nodes.set(change.after, revision);
        if (before !== this.#hostName(change.id)) this.#renamed(({ value }) => value.node === change.id, revision);
        break;
      }
      case 'leader':
      case 'manager':
      case 'cluster':
        break;
      case 'reset':
        this.#reset(revision);
        break;
      default:
        assertNever(change);
    }
  }

  #reset(revision: bigint): void {
    const { networks, nodes } = this.#view;
    this.networks.reset(revision, networks.values());
    this.nodes.reset(revision, nodes.values());
    const endpoints = Array.from(networks.keys(), (id) => [...this.#view.endpointsOf(id).values()]).flat();
    this.endpoints.reset(
      revision,
      endpoints.map((endpoint) => this.#named(endpoint)),
    );
  }

  #renamed(concerns: (item: EndpointItem) => boolean, revision: bigint): void {
    for (const item of [...this.endpoints.all.values()].filter(concerns))
      this.endpoints.set(this.#named(item), revision);
  }

  #named({ value, revision, created }: Versioned<Endpoint>): EndpointItem {
    const { network, node } = value;
    const names = { network: this.#networkName(network), host: this.#hostName(node) };
    return { value, revision, ...(created !== undefined && { created }), names };
  }

  #networkName(id: NetworkId): string {
    return this.networks.all.get(id)?.value.name ?? '';
  }

  /** A host that is gone is known by its id. */
  #hostName(id: NodeId): string {
    return this.nodes.all.get(id)?.value.name ?? id;
  }
}
