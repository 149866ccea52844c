import type { ClusterId } from '@causeway/model';
import type { Log } from '@causeway/runtime';
import { AbFile } from './ab-file.ts';
import type { Files } from './files.ts';

/**
 * The newest position of its cluster that this host has seen. Positions are compared by epoch, then by term, and only rise. A
 * manager with a smaller position is an old leader.
 */
export interface ClusterPosition {
  readonly id: ClusterId;
  readonly epoch: bigint;
  readonly term: bigint;
}

/** Keeps the position in the data directory. */
export class ClusterPositionFile {
  readonly #file: AbFile;

  constructor(modules: { readonly files: Files; readonly log: Log }) {
    // The file once had the id of the node, too. Now that stands in the certificate.
    this.#file = new AbFile(modules, { kind: 'identity' });
  }

  /**
   * Undefined before the host's first session. The first load makes the file: a disk that takes nothing is noticed now, and
   * a later damage of the newer copy leaves an older one.
   */
  async load(): Promise<ClusterPosition | undefined> {
    const bytes = await this.#file.load();
    if (bytes !== undefined) return decode(bytes);
    await this.#write({});
    return undefined;
  }

  async save({ id, epoch, term }: ClusterPosition): Promise<void> {
    await this.#write({ cluster: { id, epoch: `${epoch}`, term: `${term}` } });
  }

  /** See `restoreFiles`. */
  async keep(position: ClusterPosition | undefined): Promise<void> {
    await this.#file.keep(() => (position === undefined ? this.#write({}) : this.save(position)));
  }

  async #write(content: object): Promise<void> {
    await this.#file.save(new TextEncoder().encode(JSON.stringify(content)));
    await this.#file.flushed();
  }
}

/** The checksum of these bytes is right, so bytes that do not parse are a defect of the program. */
function decode(bytes: Uint8Array): ClusterPosition | undefined {
  const { cluster } = JSON.parse(new TextDecoder().decode(bytes)) as {
    cluster?: { id: ClusterId; epoch: string; term: string };
  };
  return cluster && { id: cluster.id, epoch: BigInt(cluster.epoch), term: BigInt(cluster.term) };
}
