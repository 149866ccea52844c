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

/** From one revision of a network to another that subscribers can follow. */
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
 * One network as its subscribers hold it: the network itself, and rows of several kinds. It moves from revision to
 * revision; each move is encoded once, and the whole once for each feed version, when an agent of it needs it. Subscribed
 * are exactly the hosts that a row names as its host.
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

  /** Of the newest change of the network, its endpoints, or their hosts. */
  get revision(): bigint {
    return this.#revision;
  }

  digest(feed: FeedVersion): bigint {
    return this.#sums[this.#feeds.indexOf(feed)] ?? 0n;
  }

  get rows(): Rows {
    return this.#rows as Rows;
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
      rows: this.#rows,
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
      const step = { network, from: revision, to: this.#revision, sums: this.#sums, changes: noRowChanges() };
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

  /** Those that a row of the step names as its host, or named before. */
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
