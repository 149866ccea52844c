import { CausewayError, type ErrorCode, type ErrorData, type RequestId } from '@causeway/model';
import type { Request } from '../plan/intent.ts';
import { decodeText, encodeText, type Json, type JsonObject, object, text } from '../store/codec.ts';
import type { Keys } from '../store/keys.ts';
import type { KeyValue } from '../store/store.ts';
import type { Transaction } from './merge.ts';

export interface Committed<Reply> {
  readonly reply: Reply;
  /** Of the store, with the change in it. */
  readonly revision: bigint;
}

/** A request under its id. */
export interface Call<Reply> {
  readonly id: RequestId;
  readonly request: Request<Reply>;
}

/** A transaction that also keeps its outcome, and is nothing when the call has one already. */
export function withReply<Reply>(
  transaction: Transaction,
  reply: Reply,
  call: Call<Reply>,
  keys: Keys,
  lease: bigint,
): Transaction {
  return keep(transaction, { reply: call.request.outcome.toJson(reply) }, call, keys, lease);
}

/** Keeps a refusal as the outcome: from then on nothing of the call can be written any more, however late it arrives. */
export function refusing<Reply>(refusal: CausewayError, call: Call<Reply>, keys: Keys, lease: bigint): Transaction {
  const { code, message, data } = refusal;
  return keep({ compares: [], writes: [], events: [] }, { refused: { code, message, data } }, call, keys, lease);
}

function keep<Reply>(
  { compares, writes, events }: Transaction,
  outcome: JsonObject,
  { id, request }: Call<Reply>,
  keys: Keys,
  lease: bigint,
): Transaction {
  const key = keys.request(id);
  const value = encodeText(JSON.stringify({ kind: request.kind, content: request.content, ...outcome }));
  return {
    compares: [...compares, { kind: 'absent', key }],
    writes: [...writes, { kind: 'put', key, value, lease }],
    events,
  };
}

/**
 * The answer that a kept outcome gives.
 * @throws CausewayError the refusal that was kept; request-reused when the id was another call's
 */
export function readOutcome<Reply>(kv: KeyValue, call: Call<Reply>): Committed<Reply> {
  const kept = object(JSON.parse(decodeText(kv.value)) as Json);
  checkSame(call, { kind: text(kept, 'kind'), content: text(kept, 'content') });
  if (kept['refused'] === undefined) {
    return { reply: call.request.outcome.fromJson(object(kept['reply'])), revision: kv.modRevision };
  }
  const refused = object(kept['refused']);
  throw new CausewayError(
    text(refused, 'code') as ErrorCode,
    text(refused, 'message'),
    object(refused['data']) as ErrorData,
  );
}

/** @throws CausewayError request-reused */
export function checkSame(
  { id, request }: { readonly id: RequestId; readonly request: Earlier },
  earlier: Earlier,
): void {
  if (earlier.kind === request.kind && earlier.content === request.content) return;
  const message = `request_id ${id} was used by another call (${earlier.kind}): make a new one for each call`;
  throw new CausewayError('request-reused', message, { field: 'request_id', value: id, kind: earlier.kind });
}

interface Earlier {
  readonly kind: string;
  readonly content: string;
}
