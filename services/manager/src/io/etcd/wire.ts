import type { ICompare, IEvent, IKeyValue, IRequestOp } from 'etcd3';
import { keyBytes, keyText, prefixRange } from '../../store/range.ts';
import type { Compare, KeySpan, KeyValue, StoreEvent, Write } from '../../store/store.ts';

/** A compare in etcd's words; all of them also hold their meaning for keys that do not exist (every number 0). */
export function compareToWire(compare: Compare): ICompare {
  switch (compare.kind) {
    case 'absent':
      return { target: 'Create', result: 'Equal', key: bytes(compare.key), create_revision: '0' };
    case 'unchanged':
      return { target: 'Mod', result: 'Equal', key: bytes(compare.key), mod_revision: String(compare.modRevision) };
    case 'created':
      return {
        target: 'Create',
        result: 'Equal',
        key: bytes(compare.key),
        create_revision: String(compare.createRevision),
      };
    case 'quiet': {
      const { start, end } = prefixRange(compare.prefix);
      return {
        target: 'Mod',
        result: 'Less',
        key: Buffer.from(start),
        range_end: Buffer.from(end),
        mod_revision: String(compare.since + 1n),
      };
    }
    case 'vacant': {
      const { from, before } = compare.span;
      return { target: 'Mod', result: 'Less', key: bytes(from), range_end: bytes(before), mod_revision: '1' };
    }
  }
}

export function writeToWire(write: Write): IRequestOp {
  switch (write.kind) {
    case 'put':
      return {
        request_put: {
          key: bytes(write.key),
          value: Buffer.from(write.value),
          ...(write.lease !== undefined && { lease: String(write.lease) }),
        },
      };
    case 'delete':
      return { request_delete_range: { key: bytes(write.key) } };
  }
}

export function eraseToWire({ from, before }: KeySpan): IRequestOp {
  return { request_delete_range: { key: bytes(from), range_end: bytes(before) } };
}

/** The value is a slice of its message: a snapshot would hold as many small buffers as it has keys. */
export function keyValueFromWire(kv: IKeyValue): KeyValue {
  return {
    key: keyText(kv.key),
    value: new Uint8Array(kv.value.buffer, kv.value.byteOffset, kv.value.length),
    createRevision: BigInt(kv.create_revision),
    modRevision: BigInt(kv.mod_revision),
  };
}

export function eventFromWire(event: IEvent): StoreEvent {
  return event.type === 'Delete'
    ? { kind: 'delete', key: keyText(event.kv.key), modRevision: BigInt(event.kv.mod_revision) }
    : { kind: 'put', kv: keyValueFromWire(event.kv) };
}

function bytes(key: string): Buffer {
  return Buffer.from(keyBytes(key));
}
