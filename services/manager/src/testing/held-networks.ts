import {
  addDigest,
  type FeedVersion,
  feedOf,
  feedVersions,
  type NetworkId,
  noRows,
  type Rows,
  removeDigest,
  rowDigest,
  rowKinds,
  type SentNetwork,
  tableDigest,
} from '@causeway/model';
import { networkFromMessage, rowChangesFromMessage, rowsFromMessages } from '@causeway/proto';
import type { Complete, Delta, NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';

export interface HeldNetwork {
  readonly network: SentNetwork;
  readonly revision: bigint;
  /** The feed version of the digest. */
  readonly feed: FeedVersion;
  readonly digest: bigint;
  readonly rows: Rows;
}

/**
 * The agent's side of the protocol at its simplest: takes each message, checks that deltas follow each other, and knows
 * its cursors.
 */
export class HeldNetworks {
  readonly held = new Map<NetworkId, HeldNetwork>();
  /** Feed versions that the agent understands, from the oldest. */
  readonly feeds: readonly FeedVersion[];
  /** Feed version of the session. */
  #feed: FeedVersion;

  constructor(feeds: readonly FeedVersion[] = feedVersions) {
    this.feeds = feeds;
    this.#feed = feeds[0] as FeedVersion;
  }

  get cursors(): NetworkCursor[] {
    return Array.from(this.held, ([networkId, { revision, digest, feed }]) => {
      return { networkId, revision, digest, feedVersion: feed.number };
    });
  }

  /** Sets the feed version that the manager has chosen. @throws Error when this agent did not offer it */
  speak(number: number): void {
    const feed = feedOf(this.feeds, number);
    if (feed === undefined) throw new Error(`a manager chose feed version ${number}`);
    this.#feed = feed;
  }

  /** @throws Error when the digest is not that of the rows */
  complete(complete: Complete): void {
    const { network: message, revision, digest } = complete;
    if (message === undefined) throw new Error('complete without network');
    const network = networkFromMessage(message);
    const maps = noRows();
    for (const [kind, row] of rowsFromMessages(complete)) maps[kind].set(row.id, row);
    const rows = maps as Rows;
    const sum = tableDigest(this.#feed, network, rows);
    if (sum !== digest) throw new Error(`complete of ${network.name}: digest ${digest}, rows sum up to ${sum}`);
    this.held.set(network.id, { network, revision, feed: this.#feed, digest, rows });
  }

  /** False when the delta does not follow what the agent has: then the agent asks for the whole network. */
  delta(delta: Delta): boolean {
    const id = delta.networkId as NetworkId;
    const feed = this.#feed;
    const before = this.held.get(id);
    if (before === undefined || before.feed !== feed || before.revision !== delta.from) return false;
    const network = delta.network === undefined ? before.network : networkFromMessage(delta.network);
    const rows = noRows();
    let digest = addDigest(
      removeDigest(before.digest, feed.networkDigest(before.network)),
      feed.networkDigest(network),
    );
    const changes = rowChangesFromMessage(delta);
    for (const kind of rowKinds) {
      const { upserts, removed } = changes[kind];
      for (const row of before.rows[kind].values()) rows[kind].set(row.id, row);
      for (const gone of [...removed, ...upserts.map((row) => row.id)]) {
        const row = rows[kind].get(gone);
        if (row !== undefined) digest = removeDigest(digest, rowDigest(feed, kind, row));
        rows[kind].delete(gone);
      }
      for (const row of upserts) {
        rows[kind].set(row.id, row);
        digest = addDigest(digest, rowDigest(feed, kind, row));
      }
    }
    if (digest !== delta.digest) return false;
    this.held.set(id, { ...before, network, revision: delta.to, digest, rows: rows as Rows });
    return true;
  }

  withdraw(network: string): void {
    this.held.delete(network as NetworkId);
  }
}
