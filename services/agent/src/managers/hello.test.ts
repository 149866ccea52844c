import { type ClusterId, feedVersions, Ip, type Name, type Node, type NodeId } from '@causeway/model';
import { expect, it } from 'vitest';
import type { ClusterPosition } from '../disk/cluster-position.ts';
import { endpointRow, newestFeed, tableOf, testNetwork } from '../testing/table.ts';
import { hello } from './hello.ts';

const node: Node = {
  ...{ id: 'a000000000000001' as NodeId, name: 'h1' as Name, dataPath: Ip('192.0.2.1') },
  ...{ underlayMtu: 1500, version: '1' },
};
const seen: ClusterPosition = { id: 'c000000000000001' as ClusterId, epoch: 1n, term: 4n };
const table = tableOf([endpointRow(1)]);
const whole = { networkId: testNetwork.id, feedVersion: newestFeed.number };

it.each<[string, ClusterPosition | undefined, typeof table, object]>([
  ['of the present epoch is continued', seen, table, { revision: 5n, digest: table.digest }],
  ['of an earlier epoch is asked for whole', { ...seen, epoch: 2n }, table, { revision: 0n, digest: 0n }],
  ['of a cluster that is not known is asked for whole', undefined, table, { revision: 0n, digest: 0n }],
])('a table %s', (_, position, held, cursor) => {
  const { message } = hello(node, position, [held], feedVersions);
  expect(message).toMatchObject({ oneofKind: 'hello', hello: { cursors: [{ ...whole, ...cursor }] } });
});

it('an agent names its cluster, its host and every feed version that it speaks', () => {
  const feeds = feedVersions.map(({ number }) => number);
  expect(hello(node, seen, [], feedVersions).message).toMatchObject({
    hello: { clusterId: seen.id, epoch: 1n, node: { id: node.id, name: 'h1' }, cursors: [], feedVersions: feeds },
  });
  expect(hello(node, undefined, [], feedVersions).message).toMatchObject({ hello: { clusterId: '', epoch: 0n } });
});
