import {
  type AnyRow,
  byRowKind,
  type Network,
  type NetworkId,
  noRows,
  type RowChanges,
  type RowKind,
  type RowMaps,
  rowKinds,
} from '@causeway/model';
import { isSameRow } from '@causeway/proto';
import type { Versioned, ViewChange } from '../store/view.ts';
import type { FeedTable, NetworkMove } from './feed-table.ts';
import { idsOfRows, makeRow, rowsTouchedBy, type ViewSlice } from './rows.ts';

export type Tables = ReadonlyMap<NetworkId, FeedTable>;

export interface Touched {
  /** Revision of the newest change. */
  revision: bigint;
  /** Ids of rows, by kind. */
  readonly rows: Readonly<Record<RowKind, Set<string>>>;
}

export type NetworkStep =
  /** The network is new, or its table begins anew because its history cannot be continued. */
  | {
      readonly kind: 'begin';
      readonly network: Versioned<Network>;
      readonly revision: bigint;
      readonly rows: RowMaps;
    }
  | NetworkMove
  | { readonly kind: 'vanish'; readonly network: NetworkId };

/** The networks, and their rows, that these changes touch. Only these are computed again. */
export function touchedBy(changes: readonly ViewChange[], view: ViewSlice, tables: Tables): Map<NetworkId, Touched> {
  const touched = new Map<NetworkId, Touched>();
  const touch = (network: NetworkId, revision: bigint): Touched['rows'] => {
    const found = touched.get(network) ?? { revision, rows: byRowKind(() => new Set<string>()) };
    touched.set(network, found);
    if (revision > found.revision) found.revision = revision;
    return found.rows;
  };
  for (const change of changes) {
    const { revision } = change;
    if (change.kind === 'reset') {
      for (const network of new Set([...view.networks.keys(), ...tables.keys()])) {
        const rows = touch(network, revision);
        for (const kind of rowKinds) {
          for (const id of idsOfRows(kind, network, view)) rows[kind].add(id);
          for (const id of tables.get(network)?.rows[kind].keys() ?? []) rows[kind].add(id);
        }
      }
    } else {
      if (change.kind === 'network') touch(change.id, revision);
      for (const kind of rowKinds)
        for (const [network, id] of rowsTouchedBy(kind, change, view)) touch(network, revision)[kind].add(id);
    }
  }
  return touched;
}

/** The step of a touched network; undefined if its table is up to date. */
export function planStep(
  id: NetworkId,
  touched: Touched,
  view: ViewSlice,
  table: FeedTable | undefined,
): NetworkStep | undefined {
  const network = view.networks.get(id);
  if (network === undefined) return table === undefined ? undefined : { kind: 'vanish', network: id };
  if (table === undefined || touched.revision < table.revision)
    return { kind: 'begin', network, revision: touched.revision, rows: rowsOf(id, view) };
  if (touched.revision === table.revision) return undefined;
  const changes = byRowKind((kind) => changesOf(kind, touched.rows[kind], id, view, table)) as RowChanges;
  const changed = network.revision === table.network.revision ? undefined : network;
  return { kind: 'move', network: id, from: table.revision, to: touched.revision, changed, changes };
}

function rowsOf(network: NetworkId, view: ViewSlice): RowMaps {
  const rows = noRows();
  for (const kind of rowKinds) {
    for (const id of idsOfRows(kind, network, view)) {
      const row = makeRow(kind, network, id, view);
      if (row !== undefined) rows[kind].set(id, row);
    }
  }
  return rows;
}

function changesOf(kind: RowKind, touched: Iterable<string>, network: NetworkId, view: ViewSlice, table: FeedTable) {
  const upserts: AnyRow[] = [];
  const removed: string[] = [];
  const rows: ReadonlyMap<string, AnyRow> = table.rows[kind];
  for (const id of touched) {
    const before = rows.get(id);
    const after = makeRow(kind, network, id, view);
    if (after === undefined) {
      if (before !== undefined) removed.push(id);
    } else if (before === undefined || !isSameRow(kind, before, after)) {
      upserts.push(after);
    }
  }
  return { upserts, removed };
}
