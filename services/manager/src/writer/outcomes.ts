import { CausewayError, type RequestId } from '@causeway/model';
import type { Request } from '../admin/intent.ts';
import { decodeText, encodeText, type Json, object, text } from '../store/codec.ts';
import type { Keys } from '../store/keys.ts';
import type { KeyValue } from '../store/store.ts';
import type { Transaction } from './merge.ts';

export interface Committed<Reply> {
  readonly reply: Reply;
  /** Of the store, with the change in it. */
  readonly revision: bigint;
}

/** A transaction that also keeps its outcome, and is nothing when the request has one already. */
export function withOutcome<Reply>(
  transaction: Transaction,
  reply: Reply,
  { id, request, lease, keys }: { id: RequestId; request: Request<Reply>; lease: bigint; keys: Keys },
): Transaction {
  const key = keys.request(id);
  const { kind, content, outcome } = request;
  const value = encodeText(JSON.stringify({ kind, content, reply: outcome.toJson(reply) }));
  return {
    compares: [...transaction.compares, { kind: 'absent', key }],
    writes: [...transaction.writes, { kind: 'put', key, value, lease }],
  };
}

/**
 * The answer that a kept outcome gives to a request.
 * @throws CausewayError request-reused when the id was another call's
 */
export function readOutcome<Reply>(kv: KeyValue, id: RequestId, request: Request<Reply>): Committed<Reply> {
  const kept = object(JSON.parse(decodeText(kv.value)) as Json);
  const kind = text(kept, 'kind');
  if (kind !== request.kind || text(kept, 'content') !== request.content) {
    const message = `request_id ${id} was used by another call (${kind}): make a new one for each call`;
    throw new CausewayError('request-reused', message, { field: 'request_id', value: id, kind });
  }
  return { reply: request.outcome.fromJson(object(kept['reply'])), revision: kv.modRevision };
}
