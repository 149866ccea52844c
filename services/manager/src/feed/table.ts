import {
  type EndpointId,
  type EndpointRow,
  type FeedVersion,
  feedOf,
  feedVersions,
  type Network,
  type NetworkId,
  type NodeId,
} from '@causeway/model';
import type { NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Versioned } from '../store/view.ts';
import { DeltaBytes } from './delta-bytes.ts';
import { encodeComplete } from './encode.ts';
import { History, HistoryBudget } from './history.ts';
import { type Sums, sumsOf, withNetwork, withoutRow, withRow } from './sums.ts';

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
  readonly delta: DeltaBytes;
  readonly joined: readonly NodeId[];
  readonly left: readonly NodeId[];
}

/**
 * One network as its subscribers hold it. It moves from revision to revision; each move is encoded once, and the whole
 * once for each feed version, when an agent of it needs it. Subscribed are exactly the hosts that have a row.
 */
export class NetworkTable {
  #network: Versioned<Network>;
  #revision: bigint;
  readonly #feeds: readonly FeedVersion[];
  #sums: Sums;
  readonly #rows = new Map<EndpointId, EndpointRow>();
  readonly #rowsOn = new Map<NodeId, number>();
  readonly #history: History;
  readonly #completes = new Map<FeedVersion, Uint8Array>();

  constructor(
    network: Versioned<Network>,
    revision: bigint,
    rows: Iterable<EndpointRow>,
    feeds: readonly FeedVersion[] = feedVersions,
    budget: HistoryBudget = new HistoryBudget(),
  ) {
    this.#network = network;
    this.#history = new History(budget);
    this.#revision = revision;
    this.#feeds = feeds;
    this.#sums = sumsOf(feeds, network.value, []);
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

  digest(feed: FeedVersion): bigint {
    return this.#sums[this.#feeds.indexOf(feed)] ?? 0n;
  }

  get rows(): ReadonlyMap<EndpointId, EndpointRow> {
    return this.#rows;
  }

  /** Hosts that must have this network. */
  get hosts(): ReadonlyMap<NodeId, number> {
    return this.#rowsOn;
  }

  /** The whole network, as bytes made at most once for each revision that an agent of this version needs whole. */
  complete(feed: FeedVersion): Uint8Array {
    const known = this.#completes.get(feed);
    if (known !== undefined) return known;
    const made = encodeComplete({
      network: this.#network,
      revision: this.#revision,
      digest: this.digest(feed),
      rows: this.#rows.values(),
    });
    this.#completes.set(feed, made);
    return made;
  }

  /**
   * What brings the holder of a cursor to now, or undefined when only the whole does. A holder of the same content at an
   * older revision needs an empty step: after a change of manager that is every agent. A digest of another version than
   * the session speaks says nothing: the table lacks what the newer one covers, or has too much.
   */
  since({ revision, digest, feedVersion }: NetworkCursor, feed: FeedVersion): readonly DeltaBytes[] | undefined {
    if (feedOf(this.#feeds, feedVersion) !== feed) return undefined;
    const now = this.digest(feed);
    if (digest === now && revision === this.#revision) return [];
    if (digest === now && revision < this.#revision) {
      const network = this.id;
      const step = { network, from: revision, to: this.#revision, sums: this.#sums, upserts: [], removed: [] };
      return [new DeltaBytes(step, this.#feeds)];
    }
    return this.#history.since(revision, digest, this.#feeds.indexOf(feed));
  }

  /** It is not followed any more: nothing of its past is kept. */
  close(): void {
    this.#history.clear();
  }

  /** Takes the step and returns it encoded, with the hosts that it brought to the network and took from it. */
  move(step: NetworkMove): Moved {
    const touchedHosts = this.#hostsOf(step);
    const had = new Set([...touchedHosts].filter((node) => this.#rowsOn.has(node)));
    const sumsBefore = this.#sums;
    if (step.changed !== undefined) {
      this.#sums = withNetwork(this.#feeds, this.#sums, this.#network.value, step.changed.value);
      this.#network = step.changed;
    }
    for (const id of step.removed) this.#remove(id);
    for (const row of step.upserts) {
      this.#remove(row.id);
      this.#put(row);
    }
    this.#revision = step.to;
    this.#completes.clear();
    const delta = new DeltaBytes({ ...step, sums: this.#sums }, this.#feeds);
    this.#history.push({ from: step.from, to: step.to, sumsBefore, delta });
    const joined = [...touchedHosts].filter((node) => !had.has(node) && this.#rowsOn.has(node));
    const left = [...had].filter((node) => !this.#rowsOn.has(node));
    return { delta, joined, left };
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
    this.#sums = withRow(this.#feeds, this.#sums, row);
  }

  #remove(id: EndpointId): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    this.#sums = withoutRow(this.#feeds, this.#sums, row);
    const left = (this.#rowsOn.get(row.node) ?? 0) - 1;
    if (left > 0) this.#rowsOn.set(row.node, left);
    else this.#rowsOn.delete(row.node);
  }
}
