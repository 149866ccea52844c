import { assertNever } from '@causeway/model';
import { type Event, Event_EventType, type KeyValue as WireKeyValue } from '@causeway/proto/gen/etcd/kv.js';
import {
  type RangeResponse,
  type RequestOp,
  Compare_CompareResult as Result,
  Compare_CompareTarget as Target,
  type TxnRequest,
  type Compare as WireCompare,
} from '@causeway/proto/gen/etcd/rpc.js';
import { prefixRange } from '../../store/range.ts';
import type { Compare, KeyValue, Page, StoreEvent, Write } from '../../store/store.ts';

/* Translates between the store's types and etcd's messages. */

export function txnRequest(compares: readonly Compare[], writes: readonly Write[]): TxnRequest {
  return { compare: compares.map(compareToWire), success: writes.map(writeToWire), failure: [] };
}

export function pageFromWire({ kvs, more, header }: RangeResponse): Page {
  return { kvs: kvs.map(keyValueFromWire), more, revision: header?.revision ?? 0n };
}

export function eventFromWire({ type, kv = unset }: Event): StoreEvent {
  if (type === Event_EventType.PUT) return { kind: 'put', kv: keyValueFromWire(kv) };
  return { kind: 'delete', key: textOf(kv.key), modRevision: kv.modRevision };
}

/** Each compare also works for keys that do not exist (every number is 0). */
function compareToWire(compare: Compare): WireCompare {
  switch (compare.kind) {
    case 'absent':
      return created(compare.key, 0n);
    case 'unchanged':
      return modified(Result.EQUAL, compare.modRevision, Buffer.from(compare.key), empty);
    case 'created':
      return created(compare.key, compare.createRevision);
    case 'quiet': {
      const { start, end } = prefixRange(compare.prefix);
      return modified(Result.LESS, compare.since + 1n, start, end);
    }
    case 'vacant':
      return modified(Result.LESS, 1n, Buffer.from(compare.span.from), Buffer.from(compare.span.before));
    default:
      return assertNever(compare);
  }
}

function created(key: string, createRevision: bigint): WireCompare {
  const targetUnion = { oneofKind: 'createRevision', createRevision } as const;
  return { result: Result.EQUAL, target: Target.CREATE, key: Buffer.from(key), targetUnion, rangeEnd: empty };
}

function modified(result: Result, modRevision: bigint, key: Uint8Array, rangeEnd: Uint8Array): WireCompare {
  return { result, target: Target.MOD, key, targetUnion: { oneofKind: 'modRevision', modRevision }, rangeEnd };
}

function writeToWire(write: Write): RequestOp {
  const key = Buffer.from(write.key);
  switch (write.kind) {
    case 'put': {
      const { value, lease = 0n } = write;
      const requestPut = { key, value, lease, prevKv: false, ignoreValue: false, ignoreLease: false };
      return { request: { oneofKind: 'requestPut', requestPut } };
    }
    case 'delete':
      return {
        request: { oneofKind: 'requestDeleteRange', requestDeleteRange: { key, rangeEnd: empty, prevKv: false } },
      };
    default:
      return assertNever(write);
  }
}

function keyValueFromWire({ key, value, createRevision, modRevision }: WireKeyValue): KeyValue {
  return { key: textOf(key), value, createRevision, modRevision };
}

const empty = new Uint8Array(0);
const unset: WireKeyValue = { key: empty, value: empty, createRevision: 0n, modRevision: 0n };

/** The bytes of a reply are a Buffer, and so is each part of them. */
function textOf(bytes: Uint8Array): string {
  return (bytes instanceof Buffer ? bytes : Buffer.from(bytes)).toString();
}
