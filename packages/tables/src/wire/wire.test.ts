import { type ClusterId, InterfaceAddress, Ip } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { decodeVouched, encodeVouched } from '../keys/vouched-key.ts';
import { decodeCompare, decodeState, encodeCompare, encodeState } from '../sync/compare.ts';
import { LiveSet } from '../table/live-set.ts';
import { idOf, network, put, rowOf } from '../testing/rows.ts';
import { decodeBatch, encodeBatch, fitting, signedPart, type Unsigned } from './batch.ts';
import { type Bytes, Reader, Writer } from './bytes.ts';
import { formatCapability, ownCapability, parseCapability } from './capability.ts';
import { decodeFrame, encodeFrame, type Frame, isFrame } from './frame.ts';
import { maxBatch, maxBody } from './limits.ts';
import {
  decodeAcks,
  decodeBatches,
  decodeBatchMessage,
  decodeDigest,
  decodeIhave,
  decodeNumber,
  decodePull,
  decodeVector,
  encodeAcks,
  encodeBatches,
  encodeBatchMessage,
  encodeDigest,
  encodeIhave,
  encodeNumber,
  encodePull,
  encodeVector,
} from './message.ts';
import { lastStep } from './position.ts';
import { encodeChange, encodeRow, readChange, type TableRow } from './row.ts';

const cluster = '0123456789abcdef' as ClusterId;
const position = { epoch: 3n, revision: 5042n, step: lastStep };
const signature = new Uint8Array(64).fill(9);
const removed = { type: 'removed', id: idOf(2) } as const;
const live = LiveSet.empty().with([put(1), put(2), put(3)]);

const unsigned: Unsigned = {
  network,
  from: { epoch: 3n, revision: 5000n, step: 2 },
  to: position,
  root: live.root,
  changes: [put(1), removed],
  keyId: '00112233445566aa',
};
const batch = encodeBatch(unsigned, cluster, () => signature);
const interval = { tree: 1, lo: 7, span: 9 };

describe('a row', () => {
  const both = [InterfaceAddress('10.66.0.9/16'), InterfaceAddress('fd66::9/64')];
  it.each<[string, Partial<TableRow>]>([
    ['with one address', {}],
    ['that is suspended', { state: 'suspended' }],
    ['with addresses of both families', { addresses: both }],
    ['with an IPv6 address', { addresses: [InterfaceAddress('fd66::9/64')] }],
    ['with an IPv6 VTEP', { vtep: Ip('2001:db8::1') }],
    ['without an address', { addresses: [] }],
    ['of a late revision', { revision: 2n ** 63n }],
  ])('%s is read as it was written', (_, changed) => {
    const row = rowOf(300, changed);
    const encoded = encodeRow(row);
    const reader = new Reader(encoded.bytes);
    expect(readChange(reader)).toEqual({ type: 'put', row, bytes: encoded.bytes });
    expect(reader.isDone).toBe(true);
  });

  it('takes 46 bytes with a short name', () => {
    expect(encodeRow(rowOf(1)).bytes.length).toBe(46);
  });

  const bytes = encodeRow(rowOf(1)).bytes;
  const changedAt = (at: number, value: number): Bytes => bytes.with(at, value);
  it.each<[string, Bytes]>([
    ['an unknown flag', changedAt(8, 0x84)],
    ['three addresses', changedAt(8, 0x0c)],
    ['the family of an address that is not there', changedAt(8, 0x24)],
    ['a flag beside that of a removal', changedAt(8, 0x44)],
    ['a prefix longer than an address', changedAt(bytes.length - 7, 33)],
    ['a name that is none', changedAt(bytes.length - 1, 0x20)],
    ['a name that is not UTF-8', changedAt(bytes.length - 1, 0xff)],
    ['a part missing', bytes.subarray(0, -1)],
  ])('is refused with %s', (_, changed) => {
    const reader = new Reader(changed);
    readChange(reader);
    expect(reader.isDone).toBe(false);
  });
});

describe('a batch', () => {
  it('is read as it was written, and its signature covers all of it', () => {
    expect(decodeBatch(batch.raw)).toEqual(batch);
    const { statement, signature: read } = signedPart(batch, cluster);
    expect(read).toEqual(signature);
    const text = new TextDecoder('latin1').decode(statement);
    expect(text.startsWith(`causeway table batch 1\n${cluster}\n`)).toBe(true);
    expect(statement.slice(-(batch.raw.length - 64))).toEqual(batch.raw.slice(0, -64));
  });

  it('of one row is 188 bytes', () => {
    expect(encodeBatch({ ...unsigned, changes: [put(1)] }, cluster, () => signature).raw.length).toBe(188);
  });

  it('takes as many rows as fit a datagram', () => {
    const changes = Array.from({ length: 100 }, (_, i) => put(i));
    const count = fitting(changes, 0);
    const size = (rows: number): number =>
      encodeBatch({ ...unsigned, changes: changes.slice(0, rows) }, cluster, () => signature).raw.length;
    expect(size(count)).toBeLessThanOrEqual(maxBatch);
    expect(size(count + 1)).toBeGreaterThan(maxBatch);
    expect(fitting(changes, 99)).toBe(1);
  });

  it.each<[string, Bytes]>([
    ['of another version', batch.raw.with(0, 2)],
    ['that is cut', batch.raw.subarray(0, -1)],
    ['with bytes behind it', new Uint8Array([...batch.raw, 0])],
    ['that is too long', new Uint8Array(maxBatch + 1)],
  ])('%s is refused', (_, raw) => {
    expect(decodeBatch(raw)).toBeUndefined();
  });
});

describe('a frame', () => {
  const frame: Frame = { kind: 'pull', boot: 2n ** 64n - 1n, counter: 7n, body: Uint8Array.of(1, 2) };
  const hex = (bytes: Bytes): string => Buffer.from(bytes).toString('hex');

  it('has this form', () => {
    expect(hex(encodeFrame(frame))).toBe('c5010900ffffffffffffffff00000000000000070102');
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
    expect(isFrame(encodeFrame(frame))).toBe(true);
  });

  it.each([
    ['of another version', encodeFrame(frame).with(1, 2)],
    ['of an unknown kind', encodeFrame(frame).with(2, 99)],
    ['of serf', Uint8Array.of(3, 1, 2)],
    ['that is cut', encodeFrame(frame).subarray(0, 19)],
    ['that is empty', new Uint8Array(0)],
  ])('%s is none', (_, bytes) => {
    expect(decodeFrame(bytes)).toBeUndefined();
  });
});

test.each([
  ['1', { newest: 1 }],
  ['2:x,y', { newest: 2 }],
  ['', undefined],
  ['0', undefined],
  ['1:', { newest: 1 }],
  ['1;', undefined],
  ['x', undefined],
  [undefined, undefined],
])('the tag %s announces %s', (tag, capability) => {
  expect(parseCapability(tag)).toEqual(capability);
});

test('this version announces what it reads', () => {
  expect(formatCapability(ownCapability)).toBe('1');
});

/** Each message with its decoder: bodies that the fuzzer begins from. */
const messages: readonly (readonly [string, Bytes, (body: Bytes) => unknown, unknown])[] = [
  ['batch', encodeBatchMessage({ interval, raw: batch.raw }), decodeBatchMessage, { interval, raw: batch.raw }],
  [
    'answer to a graft',
    encodeBatchMessage({ interval: undefined, raw: batch.raw }),
    decodeBatchMessage,
    { interval: undefined, raw: batch.raw },
  ],
  [
    'ihave',
    encodeIhave({ interval, network, batch: unsigned.keyId }),
    decodeIhave,
    { interval, network, batch: unsigned.keyId },
  ],
  ['acks', encodeAcks([{ counter: 5n, isRefused: true }]), decodeAcks, [{ counter: 5n, isRefused: true }]],
  ['digest', encodeDigest([{ network, proof: 77n }]), decodeDigest, [{ network, proof: 77n }]],
  [
    'vector',
    encodeVector({
      isAnswer: true,
      entries: [
        { network, position },
        { network, position: undefined },
      ],
    }),
    decodeVector,
    {
      isAnswer: true,
      entries: [
        { network, position },
        { network, position: undefined },
      ],
    },
  ],
  ['pull', encodePull({ network, position }), decodePull, { network, position }],
  [
    'batches',
    encodeBatches(5n, [batch.raw], 1)[0] ?? signature,
    decodeBatches,
    { request: 5n, isLast: true, raws: [batch.raw] },
  ],
  ['number', encodeNumber(6n), decodeNumber, 6n],
  [
    'compare',
    encodeCompare({ network, position, hashes: live.hashes() }),
    decodeCompare,
    { network, position, hashes: live.hashes() },
  ],
  [
    'state',
    encodeState({ request: 4n, head: batch.raw, hashes: live.hashes(), buckets: new Map([[0, live.rowsIn(0)]]) }),
    decodeState,
    { request: 4n, head: batch.raw, hashes: live.hashes(), buckets: new Map([[0, live.rowsIn(0)]]) },
  ],
  [
    'key',
    encodeVouched({
      manager: 'm1',
      epoch: 1n,
      publicKey: signature.slice(32),
      notAfter: 5,
      chain: [signature],
      signature,
    }),
    decodeVouched,
    { manager: 'm1', epoch: 1n, publicKey: signature.slice(32), notAfter: 5, chain: [signature], signature },
  ],
];

describe('a message', () => {
  it.each(messages)('%s is read as it was written', (_, body, decode, value) => {
    expect(decode(body)).toEqual(value);
  });

  it('with many batches is cut to frames, and only the last is the last', () => {
    const large = Array.from({ length: 5 }, () => new Uint8Array(500));
    const frames = encodeBatches(1n, large, 16);
    expect(frames.map((frame) => decodeBatches(frame)).map((each) => [each?.raws.length, each?.isLast])).toEqual([
      [2, false],
      [2, false],
      [1, true],
    ]);
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThanOrEqual(maxBody);
    expect(encodeBatches(1n, large, 2).map((frame) => decodeBatches(frame)?.isLast)).toEqual([false, true]);
  });
});

test('no decoder throws, or reads what is not there, whatever it is given', () => {
  const corpus = [...messages.map(([, body]) => body), batch.raw, encodeChange(put(1))];
  const input = fc
    .tuple(fc.constantFrom(...corpus), fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { maxLength: 4 }), fc.nat(2_000))
    .map(([bytes, edits, cut]) => {
      const edited = bytes.slice(0, cut % (bytes.length + 1) || bytes.length);
      for (const [at, value] of edits) edited[at % edited.length] = value;
      return edited;
    });
  const decoders = [...messages.map(([, , decode]) => decode), decodeBatch, decodeFrame];
  fc.assert(
    fc.property(fc.oneof(input, fc.uint8Array({ maxLength: 300 })), (bytes) => {
      for (const decode of decoders) decode(bytes);
    }),
    { numRuns: 3_000 },
  );
});

test('a writer grows, and a reader stops at the end', () => {
  const written = new Writer().raw(new Uint8Array(5_000)).u8(1).u16(2).u32(3).u64(4n).id('00000000000000ff').done();
  const reader = new Reader(written);
  expect(reader.raw(5_000).length).toBe(5_000);
  expect([reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.id()]).toEqual([
    1,
    2,
    3,
    4n,
    '00000000000000ff',
  ]);
  expect([reader.isDone, reader.u8(), reader.raw(2 ** 40).length, reader.isOk]).toEqual([true, 0, 0, false]);
});
