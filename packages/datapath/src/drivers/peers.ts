import { addressOf, type EndpointRow, type Ip, type Mac, type NodeId } from '@causeway/model';
import { ensure } from '../kinds/ensure.ts';

/** The endpoints of other hosts. Rows are added and removed one by one, because a network may have 20,000. */
export class Peers {
  /** The VTEP of the host behind each MAC. */
  readonly fdb = new Map<Mac, Ip>();
  readonly neighbours = new Map<Ip, Mac>();
  readonly #node: NodeId;
  /** One string object for equal addresses, to save memory: thousands of rows name few hosts. */
  readonly #vteps = new Map<Ip, Ip>();

  /** `node`: this host. */
  constructor({ node }: { readonly node: NodeId }) {
    this.#node = node;
  }

  add({ node, mac, vtep, addresses }: EndpointRow): void {
    if (node === this.#node) return;
    this.fdb.set(
      mac,
      ensure(this.#vteps, vtep, () => vtep),
    );
    for (const address of addresses) this.neighbours.set(addressOf(address), mac);
  }

  /** Removes a row that was added before. */
  remove({ node, mac, addresses }: EndpointRow): void {
    if (node === this.#node) return;
    this.fdb.delete(mac);
    for (const address of addresses) this.neighbours.delete(addressOf(address));
  }
}
