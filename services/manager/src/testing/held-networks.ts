import {
  addDigest,
  type EndpointRow,
  type Network,
  type NetworkId,
  networkDigest,
  removeDigest,
  rowDigest,
} from '@causeway/model';
import { networkFromMessage, peerFromMessage } from '@causeway/proto';
import type { Complete, Delta, NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';

export interface HeldNetwork {
  readonly network: Network;
  readonly revision: bigint;
  readonly digest: bigint;
  readonly rows: ReadonlyMap<string, EndpointRow>;
}

/** An agent's side of the protocol at its simplest: takes what it is sent, checks the chain, knows its cursors. */
export class HeldNetworks {
  readonly held = new Map<NetworkId, HeldNetwork>();

  get cursors(): NetworkCursor[] {
    return Array.from(this.held, ([networkId, { revision, digest }]) => ({ networkId, revision, digest }));
  }

  /** @throws Error when the digest is not that of the rows */
  complete({ network: message, revision, digest, endpoints }: Complete): void {
    if (message === undefined) throw new Error('complete without network');
    const network = networkFromMessage(message);
    const rows = new Map(endpoints.map(peerFromMessage).map((row) => [row.id as string, row]));
    const sum = [...rows.values()].map(rowDigest).reduce(addDigest, networkDigest(network));
    if (sum !== digest) throw new Error(`complete of ${network.name}: digest ${digest}, rows sum up to ${sum}`);
    this.held.set(network.id, { network, revision, digest, rows });
  }

  /** False when the chain breaks: then the network is to be asked for whole. */
  delta(delta: Delta): boolean {
    const id = delta.networkId as NetworkId;
    const before = this.held.get(id);
    if (before === undefined || before.revision !== delta.from) return false;
    const network = delta.network === undefined ? before.network : networkFromMessage(delta.network);
    const rows = new Map(before.rows);
    let digest = addDigest(removeDigest(before.digest, networkDigest(before.network)), networkDigest(network));
    for (const gone of [...delta.removedIds, ...delta.upserts.map((peer) => peer.id)]) {
      const row = rows.get(gone);
      if (row !== undefined) digest = removeDigest(digest, rowDigest(row));
      rows.delete(gone);
    }
    for (const row of delta.upserts.map(peerFromMessage)) {
      rows.set(row.id, row);
      digest = addDigest(digest, rowDigest(row));
    }
    if (digest !== delta.digest) return false;
    this.held.set(id, { network, revision: delta.to, digest, rows });
    return true;
  }

  withdraw(network: string): void {
    this.held.delete(network as NetworkId);
  }
}
