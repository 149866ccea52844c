import { assertNever } from '@causeway/model';
import { prefixRange } from '../../store/range.ts';
import type { Compare, KeyValue, StoreEvent, Write } from '../../store/store.ts';
import { ProtobufReader, ProtobufWriter } from './protobuf.ts';

/** etcd's messages with many keys, from and to what the store speaks of; field numbers are those of its rpc.proto and kv.proto. */

export interface TxnRequest {
  readonly compares: readonly Compare[];
  readonly writes: readonly Write[];
}

/** What every reply says of its sender. */
interface Header {
  /** Id of the etcd cluster; 0: none was said. */
  readonly cluster: bigint;
  readonly revision: bigint;
}

export interface TxnReply extends Header {
  readonly succeeded: boolean;
}

export interface RangeReply extends Header {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
}

export interface WatchReply extends Header {
  readonly created: boolean;
  readonly canceled: boolean;
  /** 0: the history that was asked for is not gone. */
  readonly compactRevision: bigint;
  readonly cancelReason: string;
  readonly events: readonly StoreEvent[];
}

export function encodeTxn({ compares, writes }: TxnRequest): Buffer {
  const into = new ProtobufWriter();
  for (const write of [...writes].reverse()) {
    const success = into.mark();
    encodeWrite(into, write);
    into.message(2, success);
  }
  for (const compare of [...compares].reverse()) {
    const condition = into.mark();
    encodeCompare(into, compare);
    into.message(1, condition);
  }
  return into.finish();
}

export function decodeTxnReply(bytes: Buffer): TxnReply {
  const fields = new ProtobufReader(bytes);
  const reply = { succeeded: false, ...noHeader };
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === 1) Object.assign(reply, fields.message(headerOf));
    else if (field === 2) reply.succeeded = fields.boolean();
    else fields.skip();
  }
  return reply;
}

export function decodeRangeReply(bytes: Buffer): RangeReply {
  const fields = new ProtobufReader(bytes);
  const kvs: KeyValue[] = [];
  const reply = { kvs, more: false, ...noHeader };
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === 1) Object.assign(reply, fields.message(headerOf));
    else if (field === 2) kvs.push(fields.message(keyValueOf));
    else if (field === 3) reply.more = fields.boolean();
    else fields.skip();
  }
  return reply;
}

export function decodeWatchReply(bytes: Buffer): WatchReply {
  const fields = new ProtobufReader(bytes);
  const events: StoreEvent[] = [];
  const reply = { created: false, canceled: false, ...noHeader, compactRevision: 0n, cancelReason: '', events };
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === 1) Object.assign(reply, fields.message(headerOf));
    else if (field === 3) reply.created = fields.boolean();
    else if (field === 4) reply.canceled = fields.boolean();
    else if (field === 5) reply.compactRevision = BigInt(fields.number());
    else if (field === 6) reply.cancelReason = fields.text();
    else if (field === 11) events.push(fields.message(eventOf));
    else fields.skip();
  }
  return reply;
}

/** What is compared: the value of `target`, which is also the field of the number it is compared with, less 4. */
const target = { created: 1, modified: 2 } as const;
const result = { equal: 0, less: 2 } as const;

/** All of them also hold their meaning for keys that do not exist (every number 0). */
function encodeCompare(into: ProtobufWriter, compare: Compare): void {
  switch (compare.kind) {
    case 'absent':
      encodeNumber(into, target.created, 0n, result.equal);
      into.text(3, compare.key);
      break;
    case 'unchanged':
      encodeNumber(into, target.modified, compare.modRevision, result.equal);
      into.text(3, compare.key);
      break;
    case 'created':
      encodeNumber(into, target.created, compare.createRevision, result.equal);
      into.text(3, compare.key);
      break;
    case 'quiet': {
      const { start, end } = prefixRange(compare.prefix);
      into.bytes(64, end);
      encodeNumber(into, target.modified, compare.since + 1n, result.less);
      into.bytes(3, start);
      break;
    }
    case 'vacant':
      into.text(64, compare.span.before);
      encodeNumber(into, target.modified, 1n, result.less);
      into.text(3, compare.span.from);
      break;
    default:
      assertNever(compare);
  }
}

function encodeNumber(into: ProtobufWriter, target: number, number: bigint, result: number): void {
  into.number(4 + target, number);
  into.number(2, target);
  into.number(1, result);
}

function encodeWrite(into: ProtobufWriter, write: Write): void {
  const operation = into.mark();
  switch (write.kind) {
    case 'put':
      if (write.lease !== undefined) into.number(3, write.lease);
      into.bytes(2, write.value);
      into.text(1, write.key);
      into.message(2, operation);
      break;
    case 'delete':
      into.text(1, write.key);
      into.message(3, operation);
      break;
    default:
      assertNever(write);
  }
}

const noHeader: Header = { cluster: 0n, revision: 0n };

function headerOf(fields: ProtobufReader): Header {
  const header = { ...noHeader };
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === 1) header.cluster = fields.long();
    else if (field === 3) header.revision = BigInt(fields.number());
    else fields.skip();
  }
  return header;
}

function keyValueOf(fields: ProtobufReader): KeyValue {
  const kv = { ...unset };
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === 1) kv.key = fields.text();
    else if (field === 2) kv.createRevision = BigInt(fields.number());
    else if (field === 3) kv.modRevision = BigInt(fields.number());
    else if (field === 5) kv.value = fields.bytes();
    else fields.skip();
  }
  return kv;
}

const unset: KeyValue = { key: '', value: new Uint8Array(0), createRevision: 0n, modRevision: 0n };

function eventOf(fields: ProtobufReader): StoreEvent {
  let isDelete = false;
  let kv = unset;
  for (let field = fields.next(); field !== 0; field = fields.next()) {
    if (field === 1) isDelete = fields.boolean();
    else if (field === 2) kv = fields.message(keyValueOf);
    else fields.skip();
  }
  return isDelete ? { kind: 'delete', key: kv.key, modRevision: kv.modRevision } : { kind: 'put', kv };
}
