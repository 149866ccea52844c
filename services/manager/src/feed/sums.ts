import {
  type AnyRow,
  addDigest,
  type FeedVersion,
  type Network,
  type RowKind,
  removeDigest,
  rowDigest,
} from '@causeway/model';

/** The digest of a table in each feed version that this manager speaks, in the order of the versions. */
export type Sums = readonly bigint[];

export function sumsOf(feeds: readonly FeedVersion[], network: Network): Sums {
  return feeds.map((feed) => feed.networkDigest(network));
}

export function withRow(feeds: readonly FeedVersion[], sums: Sums, kind: RowKind, row: AnyRow): Sums {
  return feeds.map((feed, i) => addDigest(sums[i] ?? 0n, rowDigest(feed, kind, row)));
}

export function withoutRow(feeds: readonly FeedVersion[], sums: Sums, kind: RowKind, row: AnyRow): Sums {
  return feeds.map((feed, i) => removeDigest(sums[i] ?? 0n, rowDigest(feed, kind, row)));
}

export function withNetwork(feeds: readonly FeedVersion[], sums: Sums, before: Network, after: Network): Sums {
  return feeds.map((feed, i) => {
    const rows = removeDigest(sums[i] ?? 0n, feed.networkDigest(before));
    return addDigest(rows, feed.networkDigest(after));
  });
}
