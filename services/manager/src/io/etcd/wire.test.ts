import { Event, Event_EventType } from '@causeway/proto/gen/etcd/kv.js';
import {
  RangeResponse,
  Compare_CompareResult as Result,
  Compare_CompareTarget as Target,
  TxnRequest,
  TxnResponse,
} from '@causeway/proto/gen/etcd/rpc.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Compare, KeyValue, Write } from '../../store/store.ts';
import { codec } from './rpc.ts';
import { eventFromWire, pageFromWire, txnRequest } from './wire.ts';

const key = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  fc.constantFrom('/causeway/v1/leader', 'x'.repeat(127), 'x'.repeat(128), 'x'.repeat(3_000)),
);
const value = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(16_383, 16_384).map((n) => new Uint8Array(n)),
);
const number = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const span = fc.record({ from: key, before: key });

describe('a transaction reads as it was meant', () => {
  const compare = fc.oneof(
    fc.record({ kind: fc.constant('absent'), key }),
    fc.record({ kind: fc.constant('unchanged'), key, modRevision: number }),
    fc.record({ kind: fc.constant('created'), key, createRevision: number }),
    fc.record({ kind: fc.constant('quiet'), prefix: fc.oneof(key, fc.constant('')), since: fc.bigInt(0n, 2n ** 62n) }),
    fc.record({ kind: fc.constant('vacant'), span }),
  ) as fc.Arbitrary<Compare>;
  const write = fc.oneof(
    fc.record({ kind: fc.constant('put'), key, value }),
    fc.record({ kind: fc.constant('put'), key, value, lease: number }),
    fc.record({ kind: fc.constant('delete'), key }),
  ) as fc.Arbitrary<Write>;

  test('any, over the wire', () => {
    fc.assert(
      fc.property(fc.array(compare), fc.array(write), (compares, writes) => {
        const bytes = TxnRequest.toBinary(txnRequest(compares, writes), codec);
        const { compare, success, failure } = TxnRequest.fromBinary(bytes);
        expect(plain({ compare, success, failure })).toEqual(
          plain({ compare: compares.map(meantByCompare), success: writes.map(meantByWrite), failure: [] }),
        );
      }),
    );
  });
});

describe('a reply is taken for what it says', () => {
  const kv = fc.record({ key, value, createRevision: number, modRevision: number });
  const revision = number;

  test('of a read', () => {
    fc.assert(
      fc.property(revision, fc.array(kv), fc.boolean(), (revision, kvs, more) => {
        const message = RangeResponse.create({ header: { clusterId: 1n, revision }, kvs: kvs.map(onWire), more });
        const page = pageFromWire(RangeResponse.fromBinary(RangeResponse.toBinary(message), codec));
        expect(plain(page)).toEqual(plain({ kvs, more, revision }));
      }),
    );
  });

  test('of a watch', () => {
    fc.assert(
      fc.property(fc.boolean(), kv, (isDelete, kv) => {
        const type = isDelete ? Event_EventType.DELETE : Event_EventType.PUT;
        const event = eventFromWire(Event.fromBinary(Event.toBinary(Event.create({ type, kv: onWire(kv) })), codec));
        const { key, modRevision } = kv;
        expect(plain(event)).toEqual(plain(isDelete ? { kind: 'delete', key, modRevision } : { kind: 'put', kv }));
      }),
    );
  });

  test('what etcd says beside what is described here is passed over, of whatever type', () => {
    const known = TxnResponse.toBinary(TxnResponse.create({ succeeded: true, header: { revision: 7n } }));
    const added = [
      [0xf8, 0x01, 0xff, 0x7f], // field 31: a number
      [0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8], // eight bytes
      [0xfa, 0x01, 2, 0x10, 0x00], // a message
      [0xfd, 0x01, 1, 2, 3, 4], // four bytes
    ];
    for (const bytes of added)
      for (const together of [Buffer.concat([known, Buffer.from(bytes)]), Buffer.concat([Buffer.from(bytes), known])])
        expect(TxnResponse.fromBinary(together, codec)).toMatchObject({ succeeded: true, header: { revision: 7n } });
  });

  test('a reply that is cut off is refused', () => {
    const kvs = [{ key: Buffer.from('a'), value: Buffer.alloc(200) }];
    const whole = RangeResponse.toBinary(RangeResponse.create({ header: { revision: 300n }, kvs }));
    for (let length = 6; length < whole.length; length++)
      expect(() => RangeResponse.fromBinary(whole.subarray(0, length), codec), `${length} bytes`).toThrow();
  });
});

function onWire({ key, ...kv }: KeyValue) {
  return { ...kv, key: Buffer.from(key) };
}

/** A message with bytes as text: otherwise bytes are compared one by one. */
function plain(message: object): unknown {
  return JSON.parse(
    JSON.stringify(message, (_, value: unknown) => {
      if (typeof value === 'bigint') return `${value}`;
      if (isBuffer(value)) return Buffer.from(value.data).toString('hex');
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
    }),
  );
}

/** A Buffer as JSON. */
interface BufferJson {
  readonly type: 'Buffer';
  readonly data: readonly number[];
}

function isBuffer(value: unknown): value is BufferJson {
  return typeof value === 'object' && value !== null && (value as Partial<BufferJson>).type === 'Buffer';
}

const bytes = (text: string): Buffer => Buffer.from(text);

function meantByCompare(compare: Compare): object {
  const to = (
    target: Target,
    result: Result,
    key: Buffer,
    targetUnion: object,
    rangeEnd: Buffer = bytes(''),
  ): object => {
    return { result, target, key, targetUnion, rangeEnd };
  };
  const created = (createRevision: bigint): object => ({ oneofKind: 'createRevision', createRevision });
  const modified = (modRevision: bigint): object => ({ oneofKind: 'modRevision', modRevision });
  switch (compare.kind) {
    case 'absent':
      return to(Target.CREATE, Result.EQUAL, bytes(compare.key), created(0n));
    case 'unchanged':
      return to(Target.MOD, Result.EQUAL, bytes(compare.key), modified(compare.modRevision));
    case 'created':
      return to(Target.CREATE, Result.EQUAL, bytes(compare.key), created(compare.createRevision));
    case 'quiet': {
      const start = compare.prefix === '' ? Buffer.of(0) : bytes(compare.prefix);
      const end = Buffer.from(start);
      end[end.length - 1] = compare.prefix === '' ? 0 : (end.at(-1) ?? 0) + 1;
      return to(Target.MOD, Result.LESS, start, modified(compare.since + 1n), end);
    }
    case 'vacant':
      return to(Target.MOD, Result.LESS, bytes(compare.span.from), modified(1n), bytes(compare.span.before));
  }
}

function meantByWrite(write: Write): object {
  const key = bytes(write.key);
  if (write.kind === 'delete')
    return {
      request: { oneofKind: 'requestDeleteRange', requestDeleteRange: { key, rangeEnd: bytes(''), prevKv: false } },
    };
  const { value, lease = 0n } = write;
  const requestPut = { key, value, lease, prevKv: false, ignoreValue: false, ignoreLease: false };
  return { request: { oneofKind: 'requestPut', requestPut } };
}
