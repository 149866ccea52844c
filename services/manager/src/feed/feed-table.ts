import {
  type AnyRow,
  byRowKind,
  type FeedVersion,
  feedOf,
  feedVersions,
  type Network,
  type NetworkId,
  type NodeId,
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
import { History, HistoryBudget, type HistoryEntry, type TouchedRows, touchedRows } from './history.ts';
import { hostOf } from './rows.ts';
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
  readonly joined: readonly NodeId[];
  readonly left: readonly NodeId[];
}

/**
 * One network as its subscribers should hold it: the network itself, and rows of several kinds. The table moves from revision
 * to revision, and a subscriber may skip revisions: `since` gives one delta from any revision that the history reaches back to.
 * Each delta, and the whole network, is encoded once, when the first agent needs it. The subscribers are exactly the hosts that
 * a row names as its host.
 */
export class FeedTable {
  #network: Versioned<Network>;
  #revision: bigint;
  readonly #feeds: readonly FeedVersion[];
  #sums: Sums;
  readonly #rows: RowMaps = noRows();
  readonly #rowsOn = new Map<NodeId, number>();
  readonly #history: History;
  /** The present content, encoded: whole, and as deltas by the revision from which they lead here. */
  readonly #completes = new Map<FeedVersion, Uint8Array>();
  readonly #deltas = new Map<bigint, DeltaBytes>();

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

  /** The delta from a revision to the present one; undefined if the history does not reach back to that revision. */
  since(revision: bigint): DeltaBytes | undefined {
    const known = this.#deltas.get(revision);
    if (known !== undefined) return known;
    const steps = this.#history.since(revision);
    if (steps === undefined) return undefined;
    const delta = this.#deltaFrom(revision, steps);
    this.#deltas.set(revision, delta);
    return delta;
  }

  /**
   * What brings a cursor's holder to the present revision; undefined if the holder needs the whole network. A holder of the
   * same content at an older revision needs an empty step: after a change of manager this applies to every agent. A digest of
   * a feed version other than the session's cannot be compared: the versions cover different content.
   */
  continued({ revision, digest, feedVersion }: NetworkCursor, feed: FeedVersion): DeltaBytes | 'nothing' | undefined {
    if (feedOf(this.#feeds, feedVersion) !== feed) return undefined;
    if (digest === this.digest(feed) && revision <= this.#revision)
      return revision === this.#revision ? 'nothing' : this.#deltaFrom(revision, []);
    const [first] = this.#history.since(revision) ?? [];
    return first?.sumsBefore[this.#feeds.indexOf(feed)] === digest ? this.since(revision) : undefined;
  }

  /** No host follows the table any more: its history is dropped. */
  close(): void {
    this.#history.clear();
  }

  /** Takes the step. Returns the hosts that joined the network and those that left it. */
  move(step: NetworkMove): Moved {
    const touchedHosts = this.#hostsOf(step);
    const had = new Set([...touchedHosts].filter((node) => this.#rowsOn.has(node)));
    this.#history.push(this.#entryOf(step));
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
    this.#deltas.clear();
    const joined = [...touchedHosts].filter((node) => !had.has(node) && this.#rowsOn.has(node));
    const left = [...had].filter((node) => !this.#rowsOn.has(node));
    return { joined, left };
  }

  /** The step for the history. The table has not taken the step yet. */
  #entryOf({ from, to, changed, changes }: NetworkMove): HistoryEntry {
    const rows = byRowKind((kind): TouchedRows => {
      const existed = ({ id }: AnyRow): boolean => this.#rows[kind].has(id);
      const { upserts, removed } = changes[kind];
      const [added, updated] = [upserts.filter((row) => !existed(row)), upserts.filter(existed)];
      return { added: added.map(({ id }) => id), changed: [...updated.map(({ id }) => id), ...removed] };
    });
    return { from, to, sumsBefore: this.#sums, isNetworkChanged: changed !== undefined, rows };
  }

  /** Encodes the steps as one delta. Its rows are the present ones, so a row that changed several times is sent once. */
  #deltaFrom(from: bigint, steps: readonly HistoryEntry[]): DeltaBytes {
    const changes = byRowKind((kind) => {
      const upserts: AnyRow[] = [];
      const removed: string[] = [];
      for (const [id, existed] of touchedRows(steps, kind)) {
        const row = this.#rows[kind].get(id);
        if (row !== undefined) upserts.push(row);
        else if (existed) removed.push(id);
      }
      return { upserts, removed };
    }) as RowChanges;
    const changed = steps.some(({ isNetworkChanged }) => isNetworkChanged) ? this.#network : undefined;
    const parts = { network: this.id, from, to: this.#revision, sums: this.#sums, changed, changes };
    return new DeltaBytes(parts, this.#feeds);
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
