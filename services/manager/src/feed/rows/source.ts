import type { NetworkId, NodeId } from '@causeway/model';
import type { RecordChange } from '../../store/records/index.ts';
import type { View } from '../../store/view.ts';

/** Changes only say where to look. The new content of a table is read from the view, which already has all changes. */
export type ViewSlice = Pick<
  View,
  'revision' | 'networks' | 'nodes' | 'endpoint' | 'endpointsOf' | 'endpointsOn' | 'records'
>;

/** Where the rows of one kind come from. */
export interface RowSource<Row extends { readonly id: string }> {
  /** Rows that a change of the view may change, each with its network. */
  touched(change: RecordChange, view: ViewSlice): Iterable<readonly [NetworkId, string]>;
  /** Ids of all rows of a network. */
  idsOf(network: NetworkId, view: ViewSlice): Iterable<string>;
  /** The row as hosts get it; undefined: the row does not exist, or a host cannot use it yet. */
  row(network: NetworkId, id: string, view: ViewSlice): Row | undefined;
  /** The host that must have the network because of this row; absent: no host must have the network because of such rows. */
  hostOf?(row: Row): NodeId;
}
