import {
  addDigest,
  CausewayError,
  type EndpointId,
  type EndpointRow,
  type FeedVersion,
  rowDigest,
} from '@causeway/model';
import {
  endpointRowFromMessage,
  endpointRowToMessage,
  networkFromMessage,
  networkToMessage,
  written,
} from '@causeway/proto';
import { Complete } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Interner, Table } from './table.ts';

/** Rows converted between two yields to the event loop: about a millisecond of work. */
const chunk = 256;

/**
 * A table has the same message in a session and on disk. This returns its bytes in parts, so that other work can run in
 * between. Protobuf reads concatenated messages as one message that has the rows of all of them. The bytes are those of
 * the table as it was at the first part.
 */
export function* tableParts(table: Table): Generator<Uint8Array, void> {
  const { network, epoch, revision, digest, feed } = table;
  const rows = [...table.rows.values()];
  const head = {
    network: networkToMessage(network, revision),
    revision,
    digest,
    endpoints: [],
    epoch,
    feedVersion: feed,
  };
  yield Complete.toBinary(head, written);
  for (let from = 0; from < rows.length; from += chunk) {
    const endpoints = rows.slice(from, from + chunk).map(endpointRowToMessage);
    // Written field by field: `create` would walk every row once more.
    yield Complete.toBinary({ endpoints, revision: 0n, digest: 0n, epoch: 0n, feedVersion: 0 }, written);
  }
}

/**
 * The table of a message in this feed version. Throws when the rows do not match the digest in the message; such a table
 * is never used.
 */
export async function tableFromMessage(
  message: Complete,
  feed: FeedVersion,
  interner: Interner,
  yieldNow: () => Promise<void>,
): Promise<Table> {
  if (message.network === undefined) throw new CausewayError('internal', 'a table came without its network');
  const network = networkFromMessage(message.network);
  const rows = new Map<EndpointId, EndpointRow>();
  let digest = feed.networkDigest(network);
  for (const [i, peer] of message.endpoints.entries()) {
    const row = interner.row(endpointRowFromMessage(peer));
    rows.set(row.id, row);
    digest = addDigest(digest, rowDigest(feed, 'endpoint', row));
    if (i % chunk === chunk - 1) await yieldNow();
  }
  if (digest !== message.digest) {
    throw new CausewayError(
      'internal',
      `the rows of network ${network.name} do not add up to the digest sent with them`,
      {
        network: network.name,
      },
    );
  }
  return { network, epoch: message.epoch, revision: message.revision, feed: feed.number, digest, rows };
}
