import { CausewayError } from '@causeway/model';
import { networkFromMessage, networkToMessage, peerFromMessage, peerToMessage } from '@causeway/proto';
import type { Complete } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { digestOf, type Interner, type Table } from './table.ts';

/** Rows converted between two yields to the event loop: about a millisecond of work. */
const chunk = 256;

/** A table travels and rests as the same message; `yieldNow` lets other work run between chunks of rows. */
export async function tableToMessage(table: Table, yieldNow: () => Promise<void>): Promise<Complete> {
  const { network, epoch, revision, digest } = table;
  const endpoints = [];
  for (const row of [...table.rows.values()]) {
    endpoints.push(peerToMessage(row));
    if (endpoints.length % chunk === 0) await yieldNow();
  }
  return { network: networkToMessage(network, revision), revision, digest, endpoints, epoch };
}

/** Throws when the rows do not add up to the digest that came with them: such a table is never used. */
export async function tableFromMessage(
  message: Complete,
  interner: Interner,
  yieldNow: () => Promise<void>,
): Promise<Table> {
  if (message.network === undefined) throw new CausewayError('internal', 'a table came without its network');
  const network = networkFromMessage(message.network);
  const rows = new Map();
  for (const [i, peer] of message.endpoints.entries()) {
    const row = interner.row(peerFromMessage(peer));
    rows.set(row.id, row);
    if (i % chunk === chunk - 1) await yieldNow();
  }
  const digest = digestOf(network, rows.values());
  if (digest !== message.digest) {
    throw new CausewayError(
      'internal',
      `the rows of network ${network.name} do not add up to the digest sent with them`,
      {
        network: network.name,
      },
    );
  }
  return { network, epoch: message.epoch, revision: message.revision, digest, rows };
}
