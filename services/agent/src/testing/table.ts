import {
  type EndpointId,
  type EndpointRow,
  type FeedVersion,
  feedVersions,
  InterfaceAddress,
  Ip,
  Mac,
  type Name,
  type Network,
  type NetworkId,
  type NodeId,
  noRowChanges,
  noRows,
  Prefix,
  type Rows,
  tableDigest,
  Vni,
} from '@causeway/model';
import type { Delta, Table } from '../tables/table.ts';

/** The newest feed version of this program version. */
export const newestFeed = feedVersions.at(-1) as FeedVersion;

export const testNetwork: Network = {
  id: '00000000000000aa' as NetworkId,
  name: 'blue' as Name,
  addressSpace: 'default' as Name,
  driver: 'overlay',
  internal: false,
  vni: Vni(4096),
  mtu: { kind: 'automatic', bytes: 1450 },
  subnets: [{ prefix: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1') }],
  labels: {},
};

/** Endpoint `n` on a host. */
export function endpointRow(n: number, node = 'h1', vtep = '192.0.2.1'): EndpointRow {
  return {
    id: n.toString(16).padStart(16, '0') as EndpointId,
    name: `e${n}` as Name,
    node: node as NodeId,
    addresses: [InterfaceAddress(`10.66.${n >> 8}.${n & 255}/16`)],
    mac: Mac('02:42:0a:42:00:09'),
    vtep: Ip(vtep),
  };
}

/** A table with the digest of its content. */
export function tableOf(rows: readonly EndpointRow[], over: Partial<Table> = {}, feed = newestFeed): Table {
  const content: Rows = { ...(noRows() as Rows), endpoint: new Map(rows.map((row) => [row.id, row])) };
  const network = over.network ?? testNetwork;
  const digest = tableDigest(feed, network, content);
  return { network, epoch: 1n, revision: 5n, feed: feed.number, digest, rows: content, ...over };
}

/** The delta to revision 6 that turns `tableOf(before)` into `after`, with the digest of `after`. */
export function deltaTo(
  after: Table,
  upserts: readonly EndpointRow[],
  removed: readonly EndpointId[],
  over: Partial<Delta> = {},
): Delta {
  const changes = { ...noRowChanges(), endpoint: { upserts, removed } };
  return { networkId: testNetwork.id, from: 5n, to: 6n, digest: after.digest, changes, ...over };
}
