import {
  CausewayError,
  clip,
  type FeedVersion,
  feedRange,
  type Node,
  newestCommonFeed,
  parseNetworkId,
} from '@causeway/model';
import { checkText, nodeFromMessage } from '@causeway/proto';
import type { Hello, NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { later } from '../store/moment.ts';
import type { Cluster } from '../store/view.ts';

/** Most cursors in a Hello. A host has far fewer networks: a manager's view is at its limit with 10,000 networks. */
const mostCursors = 16_384;

/** A valid Hello of an agent of this cluster. */
export interface CheckedHello {
  readonly node: Node;
  readonly cursors: readonly NetworkCursor[];
  /** The feed version that the session speaks. */
  readonly feed: FeedVersion;
  /** The cursors belong to this cluster and its present epoch. After a restore from a backup, old revisions mean nothing. */
  readonly continues: boolean;
  /** The agent has seen this revision, so a view must have reached it before the manager answers. */
  readonly atLeast: bigint;
}

/** @throws CausewayError cluster-mismatch, feed-unsupported, or the invalid field of the node */
export function readHello(hello: Hello, cluster: Cluster, feeds: readonly FeedVersion[]): CheckedHello {
  if (hello.clusterId !== '' && hello.clusterId !== cluster.id) {
    const message = `this host belongs to cluster ${clip(hello.clusterId)}, the manager to ${cluster.id}: point the agent at its own managers, or give it an empty data directory to join here`;
    throw new CausewayError('cluster-mismatch', message, { cluster: cluster.id });
  }
  if (hello.node === undefined) throw new CausewayError('invalid-argument', 'hello.node is missing', { field: 'node' });
  const feed = newestCommonFeed(feeds, hello.feedVersions);
  if (feed === undefined) {
    const own = feedRange(feeds.map(({ number }) => number));
    const message = `this agent speaks feed version ${feedRange(hello.feedVersions)}, the manager ${own}: upgrade the older one, managers first`;
    throw new CausewayError('feed-unsupported', message, { field: 'feed_versions', known: own });
  }
  checkText(hello);
  const node = nodeFromMessage(hello.node);
  checkCursors(hello.cursors);
  const continues = hello.clusterId === cluster.id && hello.epoch === cluster.epoch;
  const atLeast = continues ? hello.cursors.reduce((newest, cursor) => later(newest, cursor.revision), 0n) : 0n;
  return { node, cursors: hello.cursors, feed, continues, atLeast };
}

function checkCursors(cursors: readonly NetworkCursor[]): void {
  if (cursors.length > mostCursors) {
    const message = `hello.cursors: ${cursors.length} networks, the limit is ${mostCursors}`;
    throw new CausewayError('invalid-argument', message, { field: 'cursors' });
  }
  for (const [i, { networkId }] of cursors.entries()) {
    const parsed = parseNetworkId(networkId);
    if (parsed.ok) continue;
    const field = `cursors[${i}].network_id`;
    throw new CausewayError('invalid-argument', `hello.${field}: ${parsed.error.message}`, { field });
  }
}
