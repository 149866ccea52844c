import {
  type AnyRow,
  addDigest,
  type FeedVersion,
  isKnown,
  type Network,
  type NetworkId,
  type RowChanges,
  type RowKind,
  type Rows,
  type RowTypes,
  removeDigest,
  rowDigest,
  rowKinds,
  type SentNetwork,
  type Stamp,
} from '@causeway/model';

/** Everything that a host holds of a network: the network itself, and its rows of each kind, such as all its endpoints. */
export interface Table extends Stamp {
  readonly network: SentNetwork;
  /** Number of the feed version in which the table came, and by which its digest is computed. */
  readonly feed: number;
  /** Digest of the network and all rows: see packages/model/src/feed.ts. */
  readonly digest: bigint;
  readonly rows: Rows;
}

/** A table of a network whose driver this agent knows, so that the kernel can follow it. */
export type KnownTable = Table & { readonly network: Network };

export function isKnownTable(table: Table): table is KnownTable {
  return isKnown(table.network);
}

/** The change from one revision of a table to the next, as a manager sends it. */
export interface Delta {
  readonly networkId: NetworkId;
  readonly from: bigint;
  readonly to: bigint;
  /** Digest of the table after the change. */
  readonly digest: bigint;
  /** Present when the network itself changed. */
  readonly network?: SentNetwork;
  readonly changes: RowChanges;
}

/** Why a delta does not fit: the network is unknown, an earlier delta is missing, or both sides hold different rows. */
export type DeltaMismatch = 'unknown-network' | 'chain' | 'digest';

/** Whether a delta of this epoch and feed version fits the table; undefined: it does. Nothing is changed. */
export function mismatchOf(
  table: Table | undefined,
  delta: Delta,
  { epoch, feed }: { readonly epoch: bigint; readonly feed: FeedVersion },
): DeltaMismatch | undefined {
  if (table === undefined) return 'unknown-network';
  if (table.epoch !== epoch || table.feed !== feed.number || table.revision !== delta.from) return 'chain';
  return digestAfter(table, delta, feed) === delta.digest ? undefined : 'digest';
}

function digestAfter(table: Table, delta: Delta, feed: FeedVersion): bigint {
  const { networkDigest } = feed;
  let sum = table.digest;
  if (delta.network !== undefined) {
    sum = addDigest(removeDigest(sum, networkDigest(table.network)), networkDigest(delta.network));
  }
  for (const kind of rowKinds) {
    const rows: ReadonlyMap<string, AnyRow> = table.rows[kind];
    const { upserts, removed } = delta.changes[kind];
    const drop = (id: string): void => {
      const row = rows.get(id);
      if (row !== undefined) sum = removeDigest(sum, rowDigest(feed, kind, row));
    };
    for (const id of removed) drop(id);
    for (const row of upserts) {
      drop(row.id);
      sum = addDigest(sum, rowDigest(feed, kind, row));
    }
  }
  return sum;
}

/** Fields that have few different values in many rows, such as the host of an endpoint. */
const repeatedFields: { readonly [Kind in RowKind]?: readonly (keyof RowTypes[Kind])[] } = {
  endpoint: ['node', 'vtep'],
};

/** Keeps each value of such a field once, however many rows contain it. */
export class Interner {
  readonly #values = new Map<unknown, unknown>();

  row<Row extends AnyRow>(kind: RowKind, row: Row): Row {
    const kept: Row = { ...row };
    for (const field of (repeatedFields[kind] ?? []) as readonly (keyof Row)[]) kept[field] = this.#one(kept[field]);
    return kept;
  }

  #one<Value>(value: Value): Value {
    const known = this.#values.get(value);
    if (known !== undefined) return known as Value;
    this.#values.set(value, value);
    return value;
  }
}
