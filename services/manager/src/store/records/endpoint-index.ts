import type { Endpoint, EndpointId, NetworkId, NodeId } from '@causeway/model';
import { entry, prune } from './entries.ts';
import type { Versioned } from './kind.ts';
import { PerNetworkIndex } from './per-network-index.ts';

/** Endpoints, also by host. */
export class EndpointIndex extends PerNetworkIndex<EndpointId, Endpoint> {
  readonly #byNode = new Map<NodeId, Map<NetworkId, Set<EndpointId>>>();

  constructor() {
    super('endpoint');
  }

  on(node: NodeId): ReadonlySet<EndpointId> {
    const ids = new Set<EndpointId>();
    for (const inNetwork of this.#byNode.get(node)?.values() ?? []) for (const id of inNetwork) ids.add(id);
    return ids;
  }

  networksOn(node: NodeId): ReadonlySet<NetworkId> {
    return new Set(this.#byNode.get(node)?.keys());
  }

  override set({ id }: { readonly id: EndpointId }, after: Versioned<Endpoint>): void {
    super.set({ id }, after);
    const { network, node } = after.value;
    const onNode = entry(this.#byNode, node, () => new Map<NetworkId, Set<EndpointId>>());
    entry(onNode, network, () => new Set<EndpointId>()).add(id);
  }

  override delete({ id }: { readonly id: EndpointId }): void {
    const gone = this.get({ id });
    super.delete({ id });
    if (gone === undefined) return;
    const { network, node } = gone.value;
    prune(this.#byNode, node, (networks) => {
      prune(networks, network, (members) => members.delete(id));
    });
  }
}
