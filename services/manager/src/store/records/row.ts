import type { AnyRow, NetworkId, Node, NodeId } from '@causeway/model';
import type { Index, RecordKind, Versioned } from './kind.ts';
import type { OfNetwork } from './per-network-index.ts';

/** A change of a host's record. */
export interface HostChange {
  readonly id: NodeId;
  readonly before?: Versioned<Node>;
  readonly after?: Versioned<Node>;
}

/**
 * How a record becomes a row of its network's table, which hosts get. A row is made from the record and from records of
 * hosts, so it changes with them.
 */
export interface RecordRow<Value, Row extends AnyRow, Own> {
  /** The row as hosts get it; undefined: no host can use it yet. */
  make(value: Value, nodes: ReadonlyMap<NodeId, Versioned<Node>>): Row | undefined;
  /** Ids of the records whose rows a change of a host changes; absent: no row has a part of a host's record. */
  changedBy?(change: HostChange, index: Own): Iterable<string>;
  /** The host that must have the network because of this row; absent: no host must have the network because of such rows. */
  hostOf?(row: Row): NodeId;
}

/** The index of records that have rows, as a `PerNetworkIndex` is. */
export interface RowIndex extends Index<{ readonly id: string }, Versioned<OfNetwork<string>>> {
  of(network: NetworkId): ReadonlyMap<string, unknown>;
}

/** A kind of record that has rows. The parts of its keys are `network` and `id`. */
export interface RowRecordKind<Row extends AnyRow> extends RecordKind {
  index(): RowIndex;
  readonly row: RecordRow<never, Row, never>;
}
