import type { AnyRow, NetworkId, NodeId, RowKind } from '@causeway/model';
import { type RecordChange, records } from '../store/records/index.ts';
import type { OfNetwork } from '../store/records/per-network-index.ts';
import type { RecordRow, RowIndex } from '../store/records/row.ts';
import type { View } from '../store/view.ts';

/* The rows of a kind are made from the records of the same kind: see `row` in store/records. */

/** Changes only say where to look. The new content of a table is read from the view, which already has all changes. */
export type ViewSlice = Pick<View, 'revision' | 'networks' | 'nodes' | 'records'>;

/** Rows that a change of the view may change, each with its network. */
export function* rowsTouchedBy(
  kind: RowKind,
  change: RecordChange,
  view: ViewSlice,
): Generator<readonly [NetworkId, string], void> {
  if (change.kind === records[kind].kind && 'network' in change) yield [change.network, change.id];
  if (change.kind !== 'node') return;
  const index = indexOf(kind, view);
  for (const id of rowOf(kind).changedBy?.(change, index) ?? []) {
    const record = index.get({ id })?.value;
    if (record !== undefined) yield [record.network, id];
  }
}

/** Ids of all records that may have a row in the network's table. */
export function idsOfRows(kind: RowKind, network: NetworkId, view: ViewSlice): Iterable<string> {
  return indexOf(kind, view).of(network).keys();
}

/** The row as hosts get it; undefined: the row does not exist, or a host cannot use it yet. */
export function makeRow(kind: RowKind, network: NetworkId, id: string, view: ViewSlice): AnyRow | undefined {
  const record = indexOf(kind, view).get({ id })?.value;
  return record?.network === network ? rowOf(kind).make(record, view.nodes) : undefined;
}

/** The host that must have the network because of the row; undefined: no host. */
export function hostOf(kind: RowKind, row: AnyRow): NodeId | undefined {
  return rowOf(kind).hostOf?.(row);
}

function rowOf(kind: RowKind): RecordRow<OfNetwork<string>, AnyRow, RowIndex> {
  return records[kind].row as RecordRow<never, AnyRow, never>;
}

function indexOf(kind: RowKind, view: ViewSlice): RowIndex {
  return view.records(kind);
}
