import {
  addDigest,
  type EndpointId,
  type EndpointRow,
  type Network,
  type NetworkId,
  type NodeId,
  networkDigest,
  removeDigest,
  rowDigest,
} from '@causeway/model';
import type { Versioned } from '../store/view.ts';
import { encodeComplete, encodeDelta } from './encode.ts';
import { History } from './history.ts';

/** From one revision of a network to another that subscribers can follow. */
export interface NetworkMove {
  readonly kind: 'move';
  readonly network: NetworkId;
  readonly from: bigint;
  readonly to: bigint;
  /** Only when the network itself changed. */
  readonly changed: Versioned<Network> | undefined;
  readonly upserts: readonly EndpointRow[];
  readonly removed: readonly EndpointId[];
}

export interface Moved {
  readonly bytes: Uint8Array;
  readonly joined: readonly NodeId[];
  readonly left: readonly NodeId[];
}

/**
 * One network as its subscribers hold it. It moves from revision to revision; each move is encoded once, and so is the
 * whole, when somebody asks for it. Subscribed are exactly the hosts that have a row.
 */
export class NetworkTable {
  #network: Versioned<Network>;
  #revision: bigint;
  #digest: bigint;
  readonly #rows = new Map<EndpointId, EndpointRow>();
  readonly #rowsOn = new Map<NodeId, number>();
  readonly #history = new History();
  #complete: Uint8Array | undefined;

  constructor(network: Versioned<Network>, revision: bigint, rows: Iterable<EndpointRow>) {
    this.#network = network;
    this.#revision = revision;
    this.#digest = networkDigest(network.value);
    for (const row of rows) this.#put(row);
  }

  get id(): NetworkId {
    return this.#network.value.id;
  }

  get network(): Versioned<Network> {
    return this.#network;
  }

  /** Of the newest change of the network, its endpoints, or their hosts. */
  get revision(): bigint {
    return this.#revision;
  }

  get digest(): bigint {
    return this.#digest;
  }

  get rows(): ReadonlyMap<EndpointId, EndpointRow> {
    return this.#rows;
  }

  /** Hosts that must have this network. */
  get hosts(): ReadonlyMap<NodeId, number> {
    return this.#rowsOn;
  }

  /** The whole network, as bytes made at most once for each revision that anybody wants whole. */
  get complete(): Uint8Array {
    this.#complete ??= encodeComplete({
      network: this.#network,
      revision: this.#revision,
      digest: this.#digest,
      rows: this.#rows.values(),
    });
    return this.#complete;
  }

  /**
   * What brings a holder of (revision, digest) to now, or undefined when only the whole does. A holder of the same
   * content at an older revision needs an empty step: after a change of manager that is everybody.
   */
  since(revision: bigint, digest: bigint): readonly Uint8Array[] | undefined {
    if (digest === this.#digest && revision === this.#revision) return [];
    if (digest === this.#digest && revision < this.#revision) {
      const network = this.id;
      return [encodeDelta({ network, from: revision, to: this.#revision, digest, upserts: [], removed: [] })];
    }
    return this.#history.since(revision, digest)?.map((entry) => entry.bytes);
  }

  /** Takes the step and returns it encoded, with the hosts that it brought to the network and took from it. */
  move(step: NetworkMove): Moved {
    const touchedHosts = this.#hostsOf(step);
    const had = new Set([...touchedHosts].filter((node) => this.#rowsOn.has(node)));
    const digestBefore = this.#digest;
    if (step.changed !== undefined) {
      this.#digest = removeDigest(this.#digest, networkDigest(this.#network.value));
      this.#network = step.changed;
      this.#digest = addDigest(this.#digest, networkDigest(this.#network.value));
    }
    for (const id of step.removed) this.#remove(id);
    for (const row of step.upserts) {
      this.#remove(row.id);
      this.#put(row);
    }
    this.#revision = step.to;
    this.#complete = undefined;
    const bytes = encodeDelta({ ...step, digest: this.#digest });
    this.#history.push({ from: step.from, to: step.to, digestBefore, bytes });
    const joined = [...touchedHosts].filter((node) => !had.has(node) && this.#rowsOn.has(node));
    const left = [...had].filter((node) => !this.#rowsOn.has(node));
    return { bytes, joined, left };
  }

  #hostsOf(step: NetworkMove): Set<NodeId> {
    const hosts = new Set(step.upserts.map((row) => row.node));
    for (const id of [...step.removed, ...step.upserts.map((row) => row.id)]) {
      const before = this.#rows.get(id);
      if (before !== undefined) hosts.add(before.node);
    }
    return hosts;
  }

  #put(row: EndpointRow): void {
    this.#rows.set(row.id, row);
    this.#rowsOn.set(row.node, (this.#rowsOn.get(row.node) ?? 0) + 1);
    this.#digest = addDigest(this.#digest, rowDigest(row));
  }

  #remove(id: EndpointId): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    this.#digest = removeDigest(this.#digest, rowDigest(row));
    const left = (this.#rowsOn.get(row.node) ?? 0) - 1;
    if (left > 0) this.#rowsOn.set(row.node, left);
    else this.#rowsOn.delete(row.node);
  }
}
