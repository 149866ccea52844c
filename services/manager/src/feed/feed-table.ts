import {
  type AnyRow,
  type FeedVersion,
  feedOf,
  feedVersions,
  type Network,
  type NetworkId,
  type NodeId,
  noRowChanges,
  noRows,
  type RowChanges,
  type RowKind,
  type RowMaps,
  type Rows,
  rowKinds,
} from '@causeway/model';
import type { NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Versioned } from '../store/view.ts';
import { DeltaBytes } from './delta-bytes.ts';
import { encodeComplete } from './encode.ts';
import { History, HistoryBudget } from './history.ts';
import { hostOf } from './rows/index.ts';
import { type Sums, sumsOf, withNetwork, withoutRow, withRow } from './sums.ts';

/** A step from one revision of a network to another that subscribers can follow. */
export interface NetworkMove {
  readonly kind: 'move';
  readonly network: NetworkId;
  readonly from: bigint;
  readonly to: bigint;
  /** Only when the network itself changed. */
  readonly changed: Versioned<Network> | undefined;
  readonly changes: RowChanges;
}

export interface Moved {
  readonly delta: DeltaBytes;
  readonly joined: readonly NodeId[];
  readonly left: readonly NodeId[];
}

/**
 * One network as its subscribers hold it: the network itself, and rows of several kinds. The table moves from revision to
 * revision. Each move is encoded once. The whole network is encoded once for each feed version, when an agent of that
 * version needs it. The subscribers are exactly the hosts that a row names as its host.
 */
export class FeedTable {
  #network: Versioned<Network>;
  #revision: bigint;
  readonly #feeds: readonly FeedVersion[];
  #sums: Sums;
  readonly #rows: RowMaps = noRows();
  readonly #rowsOn = new Map<NodeId, number>();
  readonly #history: History;
  readonly #completes = new Map<FeedVersion, Uint8Array>();

  constructor(
    network: Versioned<Network>,
    revision: bigint,
    rows: RowMaps,
    feeds: readonly FeedVersion[] = feedVersions,
    budget: HistoryBudget = new HistoryBudget(),
  ) {
    this.#network = network;
    this.#history = new History(budget);
    this.#revision = revision;
    this.#feeds = feeds;
    this.#sums = sumsOf(feeds, network.value);
    for (const kind of rowKinds) for (const row of rows[kind].values()) this.#put(kind, row);
  }

  get id(): NetworkId {
    return this.#network.value.id;
  }

  get network(): Versioned<Network> {
    return this.#network;
  }

  /** Revision of the newest change of the network, its endpoints, or their hosts. */
  get revision(): bigint {
    return this.#revision;
  }

  digest(feed: FeedVersion): bigint {
    return this.#sums[this.#feeds.indexOf(feed)] ?? 0n;
  }

  get rows(): Rows {
    return this.#rows as Rows;
  }

  /** Hosts that must have this network, with the number of their rows. */
  get hosts(): ReadonlyMap<NodeId, number> {
    return this.#rowsOn;
  }

  /**
   * The whole network, encoded. The bytes are made at most once for each revision, when an agent of this version needs them.
   */
  complete(feed: FeedVersion): Uint8Array {
    const known = this.#completes.get(feed);
    if (known !== undefined) return known;
    const made = encodeComplete({
      network: this.#network,
      revision: this.#revision,
      digest: this.digest(feed),
      rows: this.#rows,
    });
    this.#completes.set(feed, made);
    return made;
  }

  /**
   * The deltas that bring a cursor's holder to the present revision; undefined if the holder needs the whole network. A
   * holder of the same content at an older revision needs an empty step: after a change of manager this applies to every
   * agent. A digest of a feed version other than the session's cannot be compared: the versions cover different content.
   */
  since({ revision, digest, feedVersion }: NetworkCursor, feed: FeedVersion): readonly DeltaBytes[] | undefined {
    if (feedOf(this.#feeds, feedVersion) !== feed) return undefined;
    const now = this.digest(feed);
    if (digest === now && revision === this.#revision) return [];
    if (digest === now && revision < this.#revision) {
      const network = this.id;
      const step = { network, from: revision, to: this.#revision, sums: this.#sums, changes: noRowChanges() };
      return [new DeltaBytes(step, this.#feeds)];
    }
    return this.#history.since(revision, digest, this.#feeds.indexOf(feed));
  }

  /** No host follows the table any more: its history is dropped. */
  close(): void {
    this.#history.clear();
  }

  /** Takes the step. Returns it encoded, with the hosts that joined the network and those that left it. */
  move(step: NetworkMove): Moved {
    const touchedHosts = this.#hostsOf(step);
    const had = new Set([...touchedHosts].filter((node) => this.#rowsOn.has(node)));
    const sumsBefore = this.#sums;
    if (step.changed !== undefined) {
      this.#sums = withNetwork(this.#feeds, this.#sums, this.#network.value, step.changed.value);
      this.#network = step.changed;
    }
    for (const kind of rowKinds) {
      const { upserts, removed } = step.changes[kind];
      for (const id of removed) this.#remove(kind, id);
      for (const row of upserts) {
        this.#remove(kind, row.id);
        this.#put(kind, row);
      }
    }
    this.#revision = step.to;
    this.#completes.clear();
    const delta = new DeltaBytes({ ...step, sums: this.#sums }, this.#feeds);
    this.#history.push({ from: step.from, to: step.to, sumsBefore, delta });
    const joined = [...touchedHosts].filter((node) => !had.has(node) && this.#rowsOn.has(node));
    const left = [...had].filter((node) => !this.#rowsOn.has(node));
    return { delta, joined, left };
  }

  /** Hosts that a row of the step names as its host, or named before. */
  #hostsOf({ changes }: NetworkMove): Set<NodeId> {
    const hosts = new Set<NodeId>();
    const add = (kind: RowKind, row: AnyRow | undefined): void => {
      const host = row && hostOf(kind, row);
      if (host !== undefined) hosts.add(host);
    };
    for (const kind of rowKinds) {
      const { upserts, removed } = changes[kind];
      for (const row of upserts) add(kind, row);
      for (const id of [...removed, ...upserts.map((row) => row.id)]) add(kind, this.#rows[kind].get(id));
    }
    return hosts;
  }

  #put(kind: RowKind, row: AnyRow): void {
    this.#rows[kind].set(row.id, row);
    this.#sums = withRow(this.#feeds, this.#sums, kind, row);
    const host = hostOf(kind, row);
    if (host !== undefined) this.#rowsOn.set(host, (this.#rowsOn.get(host) ?? 0) + 1);
  }

  #remove(kind: RowKind, id: string): void {
    const row = this.#rows[kind].get(id);
    if (row === undefined) return;
    this.#rows[kind].delete(id);
    this.#sums = withoutRow(this.#feeds, this.#sums, kind, row);
    const host = hostOf(kind, row);
    if (host === undefined) return;
    const left = (this.#rowsOn.get(host) ?? 0) - 1;
    if (left > 0) this.#rowsOn.set(host, left);
    else this.#rowsOn.delete(host);
  }
}
