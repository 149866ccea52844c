import fc from 'fast-check';
import { expect, describe as group, test } from 'vitest';
import type { Compare, KeyValue, Write } from '../../store/store.ts';
import { describe } from './rpc.ts';
import { decodeRangeReply, decodeTxnReply, decodeWatchReply, encodeTxn } from './wire.ts';

interface Method {
  requestDeserialize(bytes: Buffer): object;
  responseSerialize(message: object): Buffer;
}

/** The general codec, made from etcd's own description: whatever that means is meant. */
const described = describe() as unknown as Readonly<Record<string, Readonly<Record<string, Method>>>>;
const methods = {
  txn: described['etcdserverpb.KV']?.['Txn'] as Method,
  range: described['etcdserverpb.KV']?.['Range'] as Method,
  watch: described['etcdserverpb.Watch']?.['Watch'] as Method,
};

const key = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  fc.constantFrom('/causeway/v1/leader', 'x'.repeat(127), 'x'.repeat(128), 'x'.repeat(3_000)),
);
const value = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(16_383, 16_384).map((n) => new Uint8Array(n)),
);
const revision = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n });
const number = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const span = fc.record({ from: key, before: key });

group('a transaction reads as it was meant', () => {
  const compare = fc.oneof(
    fc.record({ kind: fc.constant('absent'), key }),
    fc.record({ kind: fc.constant('unchanged'), key, modRevision: number }),
    fc.record({ kind: fc.constant('created'), key, createRevision: number }),
    fc.record({ kind: fc.constant('quiet'), prefix: fc.oneof(key, fc.constant('')), since: revision }),
    fc.record({ kind: fc.constant('vacant'), span }),
  ) as fc.Arbitrary<Compare>;
  const write = fc.oneof(
    fc.record({ kind: fc.constant('put'), key, value }),
    fc.record({ kind: fc.constant('put'), key, value, lease: number }),
    fc.record({ kind: fc.constant('delete'), key }),
  ) as fc.Arbitrary<Write>;

  test('any', () => {
    fc.assert(
      fc.property(fc.array(compare), fc.array(write), (compares, writes) => {
        const meant = { compare: compares.map(meantByCompare), success: writes.map(meantByWrite), failure: [] };
        const bytes = encodeTxn({ compares, writes });
        expect(plain(methods.txn.requestDeserialize(bytes))).toEqual(plain(meant));
      }),
    );
  });
});

group('a reply is taken for what it says', () => {
  const kv = fc.record({
    key,
    value,
    create_revision: revision,
    mod_revision: revision,
    version: number,
    lease: number,
  });
  const header = fc.record({ cluster_id: number, member_id: number, revision, raft_term: number });

  test('of a transaction', () => {
    fc.assert(
      fc.property(header, fc.boolean(), fc.array(header), (own, succeeded, headers) => {
        const responses = headers.map((each) => ({ response_put: { header: onWire(each) } }));
        const bytes = methods.txn.responseSerialize({ header: onWire(own), succeeded, responses });
        expect(decodeTxnReply(bytes)).toEqual({ succeeded, ...headerOf(own) });
      }),
    );
  });

  test('of a read', () => {
    fc.assert(
      fc.property(header, fc.array(kv), fc.boolean(), number, (own, kvs, more, count) => {
        const message = { header: onWire(own), kvs: kvs.map(onWire), more, count: String(count) };
        const bytes = methods.range.responseSerialize(message);
        const reply = decodeRangeReply(bytes);
        expect({ ...reply, kvs: reply.kvs.map(printed) }).toEqual({ kvs: kvs.map(ours), more, ...headerOf(own) });
      }),
    );
  });

  test('of a watch', () => {
    const type = fc.constantFrom('Put', 'Delete');
    const event = fc.record({ type, kv, prev_kv: kv }, { requiredKeys: ['type', 'kv'] });
    const flags = fc.record({ created: fc.boolean(), canceled: fc.boolean() });
    const end = fc.record({ compact_revision: revision, cancel_reason: fc.string() });
    fc.assert(
      fc.property(header, flags, end, fc.array(event), (own, said, { compact_revision, cancel_reason }, events) => {
        const wire = events.map(({ type, kv, prev_kv }) => {
          return { type, kv: onWire(kv), ...(prev_kv !== undefined && { prev_kv: onWire(prev_kv) }) };
        });
        const message = { header: onWire(own), ...said, compact_revision: String(compact_revision), cancel_reason };
        const reply = decodeWatchReply(methods.watch.responseSerialize({ ...message, watch_id: '7', events: wire }));
        const told = reply.events.map((each) => (each.kind === 'put' ? { ...each, kv: printed(each.kv) } : each));
        expect({ ...reply, events: told }).toEqual({
          ...said,
          ...headerOf(own),
          compactRevision: compact_revision,
          cancelReason: cancel_reason,
          events: events.map((each) =>
            each.type === 'Delete'
              ? { kind: 'delete', key: each.kv.key, modRevision: each.kv.mod_revision }
              : { kind: 'put', kv: ours(each.kv) },
          ),
        });
      }),
    );
  });

  test('what a later etcd adds is passed over, of whatever type', () => {
    const known = methods.txn.responseSerialize({ succeeded: true, header: { revision: '7' } });
    const added = [
      [0xf8, 0x01, 0xff, 0x7f], // field 31: a number
      [0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8], // eight bytes
      [0xfa, 0x01, 2, 0x10, 0x00], // a message
      [0xfd, 0x01, 1, 2, 3, 4], // four bytes
    ];
    for (const bytes of added)
      for (const together of [Buffer.concat([known, Buffer.from(bytes)]), Buffer.concat([Buffer.from(bytes), known])])
        expect(decodeTxnReply(together)).toEqual({ succeeded: true, cluster: 0n, revision: 7n });
  });

  test('one that is cut off, or that is none, is refused', () => {
    const header = { revision: '300' };
    const whole = methods.range.responseSerialize({
      header,
      kvs: [{ key: Buffer.from('a'), value: Buffer.alloc(200) }],
    });
    for (let length = 6; length < whole.length; length++)
      expect(() => decodeRangeReply(whole.subarray(0, length)), `${length} bytes`).toThrow(RangeError);
    expect(() => decodeTxnReply(Buffer.from([0x1b]))).toThrow(RangeError); // a group
  });
});

function headerOf({ cluster_id, revision }: { readonly cluster_id: bigint; readonly revision: bigint }) {
  return { cluster: cluster_id, revision };
}

interface WireKeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly create_revision: bigint;
  readonly mod_revision: bigint;
}

function ours({ key, value, create_revision, mod_revision }: WireKeyValue) {
  return printed({ key, value, createRevision: create_revision, modRevision: mod_revision });
}

/** A value as text: bytes are compared one by one. */
function printed({ value, ...kv }: KeyValue): object {
  return { ...kv, value: Buffer.from(value).toString('hex') };
}

/** As the general codec wants it. */
function onWire(message: object): object {
  return Object.fromEntries(
    Object.entries(message).map(([name, value]: [string, unknown]) => {
      if (typeof value === 'bigint') return [name, String(value)];
      return [name, name === 'key' ? Buffer.from(value as string) : value];
    }),
  );
}

/** Bytes as text, and without the general codec's classes. */
function plain(message: object): unknown {
  return JSON.parse(JSON.stringify(message, (_, value: unknown) => (isBuffer(value) ? hexOf(value) : value)));
}

/** What a Buffer gives to JSON. */
interface BufferJson {
  readonly type: 'Buffer';
  readonly data: readonly number[];
}

function isBuffer(value: unknown): value is BufferJson {
  return typeof value === 'object' && value !== null && (value as Partial<BufferJson>).type === 'Buffer';
}

function hexOf({ data }: BufferJson): string {
  return Buffer.from(data).toString('hex');
}

const bytes = (text: string): Buffer => Buffer.from(text);

function meantByCompare(compare: Compare): object {
  const to = (
    target: string,
    result: string,
    key: Buffer,
    number: object,
    range_end: Buffer = Buffer.alloc(0),
  ): object => {
    return { result, target, key, ...number, range_end };
  };
  switch (compare.kind) {
    case 'absent':
      return to('Create', 'Equal', bytes(compare.key), { create_revision: '0' });
    case 'unchanged':
      return to('Mod', 'Equal', bytes(compare.key), { mod_revision: String(compare.modRevision) });
    case 'created':
      return to('Create', 'Equal', bytes(compare.key), { create_revision: String(compare.createRevision) });
    case 'quiet': {
      const start = compare.prefix === '' ? Buffer.of(0) : bytes(compare.prefix);
      const end = Buffer.from(start);
      end[end.length - 1] = compare.prefix === '' ? 0 : (end.at(-1) ?? 0) + 1;
      return to('Mod', 'Less', start, { mod_revision: String(compare.since + 1n) }, end);
    }
    case 'vacant':
      return to('Mod', 'Less', bytes(compare.span.from), { mod_revision: '1' }, bytes(compare.span.before));
  }
}

function meantByWrite(write: Write): object {
  if (write.kind === 'delete') return deletes(write.key);
  const { key, value, lease = 0n } = write;
  const put = { key: bytes(key), value: Buffer.from(value), lease: String(lease) };
  const request_put = { ...put, prev_kv: false, ignore_value: false, ignore_lease: false };
  return { request_put };
}

function deletes(key: string): object {
  const request_delete_range = { key: bytes(key), range_end: bytes(''), prev_kv: false };
  return { request_delete_range };
}
