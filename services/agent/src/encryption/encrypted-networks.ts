import { type NetworkId, usesEsp } from '@causeway/model';
import type { TableChange, Tables } from '../tables/tables.ts';

/**
 * The encrypted networks of this host, each from its first table until the kernel has nothing of it any more. As long as there is
 * one, what it sends and receives must be protected.
 */
export class EncryptedNetworks {
  readonly #tables: Tables;
  readonly #inUse = new Set<NetworkId>();
  readonly #onChange: () => void;

  constructor(modules: { readonly tables: Tables; readonly onChange: () => void }) {
    this.#tables = modules.tables;
    this.#onChange = modules.onChange;
    for (const { network } of this.#tables.all()) this.#look(network.id);
    this.#tables.onChange((change) => this.#follow(change));
  }

  get isAny(): boolean {
    return this.#inUse.size > 0;
  }

  /** The kernel has nothing of the network any more, or the network is not encrypted any more. */
  released(id: NetworkId): void {
    if (this.#isEncrypted(id) || !this.#inUse.delete(id)) return;
    if (!this.isAny) this.#onChange();
  }

  #follow(change: TableChange): void {
    if (change.kind === 'dropped' || (change.kind === 'stepped' && !change.networkChanged)) return;
    this.#look(change.networkId);
  }

  #look(id: NetworkId): void {
    if (!this.#isEncrypted(id) || this.#inUse.has(id)) return;
    this.#inUse.add(id);
    this.#onChange();
  }

  #isEncrypted(id: NetworkId): boolean {
    const network = this.#tables.get(id)?.network;
    return network !== undefined && usesEsp(network);
  }
}
