import type { ClusterId, NodeId } from '@causeway/model';
import { type Log, type Random, randomId } from '@causeway/runtime';
import { AbFile } from './ab-file.ts';
import type { Files } from './files.ts';

/**
 * The identity of this host, and the newest position of its cluster that it has seen. Made once, and kept in the data
 * directory.
 */
export interface Identity {
  readonly nodeId: NodeId;
  /** Absent before the host's first session. */
  readonly cluster?: ClusterPosition;
}

/** Positions are compared by epoch, then by term, and only rise. A manager with a smaller position is an old leader. */
export interface ClusterPosition {
  readonly id: ClusterId;
  readonly epoch: bigint;
  readonly term: bigint;
}

export class IdentityFile {
  readonly #file: AbFile;
  readonly #random: Random;

  constructor(modules: { readonly files: Files; readonly log: Log; readonly random: Random }) {
    this.#file = new AbFile(modules, { kind: 'identity' });
    this.#random = modules.random;
  }

  /** Returns the identity on disk, or a new identity, which is on disk when this resolves. */
  async load(): Promise<Identity> {
    const bytes = await this.#file.load();
    if (bytes !== undefined) return decodeIdentity(bytes);
    const identity = { nodeId: randomId(this.#random) as NodeId };
    await this.save(identity);
    return identity;
  }

  async save(identity: Identity): Promise<void> {
    await this.#file.save(encodeIdentity(identity));
    await this.#file.flushed();
  }

  /** See `restoreFiles`. */
  async keep(identity: Identity): Promise<void> {
    await this.#file.keep(() => this.save(identity));
  }
}

function encodeIdentity(identity: Identity): Uint8Array {
  const { nodeId, cluster } = identity;
  const text =
    cluster === undefined
      ? { nodeId }
      : { nodeId, cluster: { id: cluster.id, epoch: `${cluster.epoch}`, term: `${cluster.term}` } };
  return new TextEncoder().encode(JSON.stringify(text));
}

/** The checksum of these bytes is right, so bytes that do not parse are a defect of the program. */
function decodeIdentity(bytes: Uint8Array): Identity {
  const value = JSON.parse(new TextDecoder().decode(bytes)) as {
    nodeId: NodeId;
    cluster?: { id: ClusterId; epoch: string; term: string };
  };
  if (value.cluster === undefined) return { nodeId: value.nodeId };
  const { id, epoch, term } = value.cluster;
  return { nodeId: value.nodeId, cluster: { id, epoch: BigInt(epoch), term: BigInt(term) } };
}
