import type { NetworkId, NodeId } from '@causeway/model';
import type { RecordChange } from '../../store/records/index.ts';
import type { View } from '../../store/view.ts';

/** Changes only say where to look; what a table becomes is read from the view, which is already past all of them. */
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
  /** As hosts are to have it; undefined: there is none, or it is of no use to a host yet. */
  row(network: NetworkId, id: string, view: ViewSlice): Row | undefined;
  /** The host that must have the network because of this row; absent: rows of this kind bring it to no host. */
  hostOf?(row: Row): NodeId;
}
