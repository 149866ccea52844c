import type { FeedVersion, Node } from '@causeway/model';
import { nodeToMessage } from '@causeway/proto';
import type { ConnectRequest, NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { ClusterPosition } from '../disk/cluster-position.ts';
import type { Table } from '../tables/table.ts';

/** The agent's first message: who it is, and up to which revision it has each table. */
export function hello(
  node: Node,
  seen: ClusterPosition | undefined,
  tables: Iterable<Table>,
  feeds: readonly FeedVersion[],
): ConnectRequest {
  const message = {
    clusterId: seen?.id ?? '',
    epoch: seen?.epoch ?? 0n,
    node: nodeToMessage(node, 0n),
    cursors: Array.from(tables, (table) => cursorOf(table, seen?.epoch)),
    feedVersions: feeds.map(({ number }) => number),
  };
  return { message: { oneofKind: 'hello', hello: message } };
}

/**
 * Deltas cannot continue a table of an earlier epoch, whatever its revision. The agent names such a table and asks for it
 * whole.
 */
function cursorOf({ network, epoch, revision, feed, digest }: Table, current: bigint | undefined): NetworkCursor {
  const [networkId, feedVersion] = [network.id, feed];
  return epoch === current
    ? { networkId, revision, digest, feedVersion }
    : { networkId, revision: 0n, digest: 0n, feedVersion };
}
