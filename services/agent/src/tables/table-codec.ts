import {
  type AnyRow,
  addDigest,
  CausewayError,
  type FeedVersion,
  noRows,
  type Rows,
  rowDigest,
  rowKinds,
} from '@causeway/model';
import { networkFromMessage, networkToMessage, rowsFromMessages, rowsToMessages, written } from '@causeway/proto';
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
  const rows = rowKinds.map((kind) => [kind, [...table.rows[kind].values()]] as const);
  const head = { network: networkToMessage(network, revision), revision, digest, epoch, feedVersion: feed };
  yield Complete.toBinary({ ...head, ...rowsToMessages(() => []) }, written);
  for (const [kind, all] of rows) {
    for (let from = 0; from < all.length; from += chunk) {
      const some = all.slice(from, from + chunk);
      const messages = rowsToMessages((of) => (of === kind ? some : []));
      // Written field by field: `create` would walk every row once more.
      yield Complete.toBinary({ ...messages, revision: 0n, digest: 0n, epoch: 0n, feedVersion: 0 }, written);
    }
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
  const rows = noRows();
  let digest = feed.networkDigest(network);
  let read = 0;
  for (const [kind, sent] of rowsFromMessages(message)) {
    const row: AnyRow = interner.row(kind, sent);
    rows[kind].set(row.id, row);
    digest = addDigest(digest, rowDigest(feed, kind, row));
    if (++read % chunk === 0) await yieldNow();
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
  return { network, epoch: message.epoch, revision: message.revision, feed: feed.number, digest, rows: rows as Rows };
}
