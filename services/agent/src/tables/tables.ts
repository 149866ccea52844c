import {
  type AnyRow,
  byRowKind,
  CausewayError,
  type NetworkId,
  type RowKind,
  type RowMaps,
  type Rows,
  type RowTypes,
  reaches,
  type SentNetwork,
  type Stamp,
} from '@causeway/model';
import { type Clock, type Duration, waitOver } from '@causeway/runtime';
import type { Delta, Table } from './table.ts';

/** A change of a table. A stepped table comes with the former rows, so that only what changed is undone in the kernel. */
export type TableChange =
  | { readonly kind: 'replaced'; readonly networkId: NetworkId }
  | { readonly kind: 'dropped'; readonly networkId: NetworkId }
  | {
      readonly kind: 'stepped';
      readonly networkId: NetworkId;
      readonly networkChanged: boolean;
      readonly before: FormerRows;
    };

/** What each changed row was before; undefined: the row is new. */
export type FormerRows = { readonly [Kind in RowKind]: ReadonlyMap<string, RowTypes[Kind] | undefined> };

/** A table that is changed in place. With 20,000 rows, a copy for each delta would be most of an agent's work. */
interface LiveTable {
  network: SentNetwork;
  readonly epoch: bigint;
  revision: bigint;
  readonly feed: number;
  digest: bigint;
  readonly rows: RowMaps & Rows;
}

/** The tables of the networks that this host is subscribed to. Listeners are called right after each change. */
export class Tables {
  readonly #clock: Clock;
  readonly #tables = new Map<NetworkId, LiveTable>();
  readonly #listeners: ((change: TableChange) => void)[] = [];

  constructor(modules: { readonly clock: Clock }) {
    this.#clock = modules.clock;
  }

  onChange(listener: (change: TableChange) => void): void {
    this.#listeners.push(listener);
  }

  get(networkId: NetworkId): Table | undefined {
    return this.#tables.get(networkId);
  }

  all(): Iterable<Table> {
    return this.#tables.values();
  }

  replace(table: Table): void {
    const { network, epoch, revision, feed, digest } = table;
    const rows = byRowKind((kind) => new Map<string, AnyRow>(table.rows[kind])) as RowMaps & Rows;
    this.#tables.set(network.id, { network, epoch, revision, feed, digest, rows });
    this.#tell({ kind: 'replaced', networkId: network.id });
  }

  /** The delta must fit: see `mismatchOf`. */
  step(delta: Delta): void {
    const table = this.#tables.get(delta.networkId);
    if (table === undefined) throw new TypeError(`no table of network ${delta.networkId}`);
    const before = byRowKind((kind) => {
      const rows: Map<string, AnyRow> = table.rows[kind];
      const former = new Map<string, AnyRow | undefined>();
      const { upserts, removed } = delta.changes[kind];
      for (const id of removed) {
        former.set(id, rows.get(id));
        rows.delete(id);
      }
      for (const row of upserts) {
        if (!former.has(row.id)) former.set(row.id, rows.get(row.id));
        rows.set(row.id, row);
      }
      return former;
    }) as FormerRows;
    if (delta.network !== undefined) table.network = delta.network;
    table.revision = delta.to;
    table.digest = delta.digest;
    this.#tell({
      kind: 'stepped',
      networkId: delta.networkId,
      networkChanged: delta.network !== undefined,
      before,
    });
  }

  drop(networkId: NetworkId): void {
    if (this.#tables.delete(networkId)) this.#tell({ kind: 'dropped', networkId });
  }

  /** Resolves with the network's table once the table has reached the stamp. Throws "timed-out" otherwise. */
  async reached(networkId: NetworkId, stamp: Stamp, timeout: Duration): Promise<Table> {
    const there = (): Table | undefined => {
      const table = this.#tables.get(networkId);
      return table !== undefined && reaches(table, stamp) ? table : undefined;
    };
    const abort = new AbortController();
    const wake = (): void => {
      if (there() !== undefined) abort.abort(waitOver);
    };
    if (there() === undefined) {
      this.#listeners.push(wake);
      await this.#clock.sleep(timeout, abort.signal);
      this.#listeners.splice(this.#listeners.indexOf(wake), 1);
    }
    const table = there();
    if (table !== undefined) return table;
    const message = `the peer table of network ${networkId} did not reach revision ${stamp.revision} within ${timeout} ms: is this host's session with the managers up?`;
    throw new CausewayError('timed-out', message, { network: networkId });
  }

  #tell(change: TableChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}
