import { addDigest, type EndpointRow, type FeedVersion, type Network, removeDigest } from '@causeway/model';

/** The digest of a table in each feed version that this manager speaks, in the order of the versions. */
export type Sums = readonly bigint[];

export function sumsOf(feeds: readonly FeedVersion[], network: Network, rows: Iterable<EndpointRow>): Sums {
  let sums: Sums = feeds.map((feed) => feed.networkDigest(network));
  for (const row of rows) sums = withRow(feeds, sums, row);
  return sums;
}

export function withRow(feeds: readonly FeedVersion[], sums: Sums, row: EndpointRow): Sums {
  return sums.map((sum, i) => addDigest(sum, feeds[i]?.rowDigest(row) ?? 0n));
}

export function withoutRow(feeds: readonly FeedVersion[], sums: Sums, row: EndpointRow): Sums {
  return sums.map((sum, i) => removeDigest(sum, feeds[i]?.rowDigest(row) ?? 0n));
}

export function withNetwork(feeds: readonly FeedVersion[], sums: Sums, before: Network, after: Network): Sums {
  return sums.map((sum, i) => {
    const rows = removeDigest(sum, feeds[i]?.networkDigest(before) ?? 0n);
    return addDigest(rows, feeds[i]?.networkDigest(after) ?? 0n);
  });
}
