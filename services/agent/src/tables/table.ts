import {
  addDigest,
  type EndpointId,
  type EndpointRow,
  type FeedVersion,
  type Ip,
  isKnown,
  type Network,
  type NetworkId,
  type NodeId,
  removeDigest,
  rowDigest,
  type SentNetwork,
  type Stamp,
} from '@causeway/model';

/** Everything that a host holds of a network: the network itself, and all its endpoints on any host. */
export interface Table extends Stamp {
  readonly network: SentNetwork;
  /** Number of the feed version in which the table came, and by which its digest is computed. */
  readonly feed: number;
  /** Digest of the network and all rows: see packages/model/src/feed.ts. */
  readonly digest: bigint;
  readonly rows: ReadonlyMap<EndpointId, EndpointRow>;
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
  readonly upserts: readonly EndpointRow[];
  readonly removed: readonly EndpointId[];
}

/** Why a delta does not fit: the network is unknown, an earlier delta is missing, or both sides hold different rows. */
export type Misfit = 'unknown-network' | 'chain' | 'digest';

/** Whether a delta of this epoch and feed version fits the table; undefined: it does. Nothing is changed. */
export function misfit(
  table: Table | undefined,
  delta: Delta,
  { epoch, feed }: { readonly epoch: bigint; readonly feed: FeedVersion },
): Misfit | undefined {
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
  const drop = (id: EndpointId): void => {
    const row = table.rows.get(id);
    if (row !== undefined) sum = removeDigest(sum, rowDigest(feed, 'endpoint', row));
  };
  for (const id of delta.removed) drop(id);
  for (const row of delta.upserts) {
    drop(row.id);
    sum = addDigest(sum, rowDigest(feed, 'endpoint', row));
  }
  return sum;
}

/** Tables with many rows name few hosts. Each node id and VTEP is kept once, however many rows contain it. */
export class Interner {
  readonly #texts = new Map<string, string>();

  row(row: EndpointRow): EndpointRow {
    return { ...row, node: this.#one(row.node) as NodeId, vtep: this.#one(row.vtep) as Ip };
  }

  #one(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }
}
