import { addressOf, type EndpointRow, type Ip, type Mac, type NodeId } from '@causeway/model';

/** Where the endpoints of other hosts are, kept by adding and removing single rows: a network may have 20,000. */
export class Peers {
  /** The host behind each MAC, by the address at which it receives frames. */
  readonly fdb = new Map<Mac, Ip>();
  readonly neighbours = new Map<Ip, Mac>();
  readonly #node: NodeId;
  /** The same string object for equal addresses: thousands of rows name few hosts. */
  readonly #vteps = new Map<Ip, Ip>();

  /** `node`: this host. */
  constructor({ node }: { readonly node: NodeId }) {
    this.#node = node;
  }

  add({ node, mac, vtep, addresses }: EndpointRow): void {
    if (node === this.#node) return;
    if (!this.#vteps.has(vtep)) this.#vteps.set(vtep, vtep);
    this.fdb.set(mac, this.#vteps.get(vtep) ?? vtep);
    for (const address of addresses) this.neighbours.set(addressOf(address), mac);
  }

  /** A row that was added. */
  remove({ node, mac, addresses }: EndpointRow): void {
    if (node === this.#node) return;
    this.fdb.delete(mac);
    for (const address of addresses) this.neighbours.delete(addressOf(address));
  }
}
