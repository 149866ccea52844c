import {
  CausewayError,
  type EndpointId,
  type EndpointRow,
  type NetworkId,
  reaches,
  type SentNetwork,
  type Stamp,
} from '@causeway/model';
import type { Clock, Duration } from '@causeway/runtime';
import type { Delta, Table } from './table.ts';

/** A change of a table. A stepped table comes with the former rows, so that only what changed is undone in the kernel. */
export type TableChange =
  | { readonly kind: 'replaced'; readonly networkId: NetworkId }
  | { readonly kind: 'dropped'; readonly networkId: NetworkId }
  | {
      readonly kind: 'stepped';
      readonly networkId: NetworkId;
      readonly networkChanged: boolean;
      /** Former row of every endpoint that changed; undefined: the endpoint is new. */
      readonly before: ReadonlyMap<EndpointId, EndpointRow | undefined>;
    };

/** A table that is changed in place. With 20,000 rows, a copy for each delta would be most of an agent's work. */
interface LiveTable {
  network: SentNetwork;
  readonly epoch: bigint;
  revision: bigint;
  readonly feed: number;
  digest: bigint;
  readonly rows: Map<EndpointId, EndpointRow>;
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
    this.#tables.set(network.id, { network, epoch, revision, feed, digest, rows: new Map(table.rows) });
    this.#tell({ kind: 'replaced', networkId: network.id });
  }

  /** The delta must fit: see `misfit`. */
  step(delta: Delta): void {
    const table = this.#tables.get(delta.networkId);
    if (table === undefined) throw new TypeError(`no table of network ${delta.networkId}`);
    const before = new Map<EndpointId, EndpointRow | undefined>();
    for (const id of delta.removed) {
      before.set(id, table.rows.get(id));
      table.rows.delete(id);
    }
    for (const row of delta.upserts) {
      if (!before.has(row.id)) before.set(row.id, table.rows.get(row.id));
      table.rows.set(row.id, row);
    }
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
    const wake = (change: TableChange): void => {
      if (change.networkId === networkId && there() !== undefined) abort.abort();
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
