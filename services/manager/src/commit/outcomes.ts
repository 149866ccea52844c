import { CausewayError, type ErrorCode, type ErrorData, type RequestId } from '@causeway/model';
import type { Request } from '../plan/intent.ts';
import { decodeText, encodeText, type Json, type JsonObject, object, text } from '../store/records/codec.ts';
import type { KeyValue } from '../store/store.ts';
import type { Transaction } from './merge.ts';

export interface Committed<Reply> {
  readonly reply: Reply;
  /** Revision of the store that has the change. */
  readonly revision: bigint;
}

/** A request with its id. */
export interface IdentifiedRequest<Reply> {
  readonly id: RequestId;
  readonly request: Request<Reply>;
}

/** Where a call's outcome is kept, and for how long. */
export interface OutcomeRecord<Reply> {
  readonly call: IdentifiedRequest<Reply>;
  readonly key: string;
  readonly lease: bigint;
}

/** The transaction, extended: it also keeps the call's outcome, and fails when the call has an outcome already. */
export function withReply<Reply>(transaction: Transaction, reply: Reply, record: OutcomeRecord<Reply>): Transaction {
  return keep(transaction, { reply: record.call.request.outcome.toJson(reply) }, record);
}

/** Keeps a refusal as the call's outcome. After that no copy of the call can be written, however late the copy arrives. */
export function refusing<Reply>({ code, message, data }: CausewayError, record: OutcomeRecord<Reply>): Transaction {
  return keep({ compares: [], writes: [], events: [] }, { refused: { code, message, data } }, record);
}

function keep<Reply>(
  { compares, writes, events }: Transaction,
  outcome: JsonObject,
  { call: { request }, key, lease }: OutcomeRecord<Reply>,
): Transaction {
  const value = encodeText(JSON.stringify({ kind: request.kind, content: request.content, ...outcome }));
  return {
    compares: [...compares, { kind: 'absent', key }],
    writes: [...writes, { kind: 'put', key, value, lease }],
    events,
  };
}

/**
 * Reads the answer from a kept outcome.
 * @throws CausewayError the refusal that was kept; request-reused when another call had the same id
 */
export function readOutcome<Reply>(kv: KeyValue, call: IdentifiedRequest<Reply>): Committed<Reply> {
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
  const message = `request_id ${id} was used by another call (${earlier.kind}): use a new request_id for each call`;
  throw new CausewayError('request-reused', message, { field: 'request_id', value: id, kind: earlier.kind });
}

interface Earlier {
  readonly kind: string;
  readonly content: string;
}
