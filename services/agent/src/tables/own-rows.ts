import type { EndpointId, EndpointRow, NetworkId, NodeId } from '@causeway/model';
import type { TableChange, Tables } from './tables.ts';

/**
 * The endpoint rows of all tables that are this host's own. Updated with each change, so that no caller has to walk 20,000 rows.
 */
export class OwnRows {
  readonly #tables: Tables;
  readonly #nodeId: NodeId;
  readonly #networks = new Map<EndpointId, NetworkId>();

  constructor(modules: { readonly tables: Tables }, settings: { readonly nodeId: NodeId }) {
    this.#tables = modules.tables;
    this.#nodeId = settings.nodeId;
    for (const { network } of modules.tables.all()) this.#scan(network.id);
    modules.tables.onChange((change) => this.#follow(change));
  }

  /** The id of each own row, with the network whose table has the row. */
  all(): Iterable<[EndpointId, NetworkId]> {
    return this.#networks;
  }

  /** The own rows that the change, which is made already, is about. */
  changedBy(change: Extract<TableChange, { kind: 'stepped' }>): EndpointId[] {
    const own: EndpointId[] = [];
    for (const [id, row] of change.before.endpoint as ReadonlyMap<EndpointId, EndpointRow | undefined>) {
      if (row?.node === this.#nodeId || this.#networks.has(id)) own.push(id);
    }
    return own;
  }

  #follow(change: TableChange): void {
    if (change.kind !== 'stepped') {
      this.#scan(change.networkId);
      return;
    }
    const rows = this.#tables.get(change.networkId)?.rows.endpoint;
    for (const id of change.before.endpoint.keys() as Iterable<EndpointId>) {
      if (rows?.get(id)?.node === this.#nodeId) this.#networks.set(id, change.networkId);
      else this.#networks.delete(id);
    }
  }

  #scan(networkId: NetworkId): void {
    for (const [id, of] of this.#networks) if (of === networkId) this.#networks.delete(id);
    for (const row of this.#tables.get(networkId)?.rows.endpoint.values() ?? []) {
      if (row.node === this.#nodeId) this.#networks.set(row.id, networkId);
    }
  }
}
