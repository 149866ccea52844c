import type { NetworkId } from '@causeway/model';
import { type Bytes, Reader, Writer } from './bytes.ts';
import { maxAcks, maxBatch, maxBody, maxRows, maxVector } from './limits.ts';
import { beginning, type Position, readPosition, writePosition } from './position.ts';
import { type EncodedRow, readChange } from './row.ts';

/** A part of a tree: the ring positions from `lo` on, `span` of them, around the end of the ring. */
export interface Interval {
  readonly tree: number;
  readonly lo: number;
  readonly span: number;
}

export interface Ack {
  /** The counter of the frame that arrived. */
  readonly counter: bigint;
  /** The receiver does not know the network, and passes nothing on. */
  readonly isRefused: boolean;
}

/** A batch on its way through a tree; without an interval, the answer to a graft. */
export interface BatchMessage {
  readonly interval: Interval | undefined;
  readonly raw: Bytes;
}

/** "I have this batch", in place of a large batch. */
export interface Ihave {
  readonly interval: Interval;
  readonly network: NetworkId;
  readonly batch: string;
}

export function encodeBatchMessage({ interval, raw }: BatchMessage): Bytes {
  const writer = new Writer().u8(interval === undefined ? 0 : 1);
  if (interval !== undefined) writeInterval(writer, interval);
  return writer.raw(raw).done();
}

export function decodeBatchMessage(body: Bytes): BatchMessage | undefined {
  const reader = new Reader(body);
  const form = reader.u8();
  const interval = form === 1 ? readInterval(reader) : undefined;
  return form <= 1 && reader.isOk ? { interval, raw: reader.raw(reader.left) } : undefined;
}

export function encodeIhave({ interval, network, batch }: Ihave): Bytes {
  const writer = new Writer();
  writeInterval(writer, interval);
  return writer.id(network).id(batch).done();
}

export function decodeIhave(body: Bytes): Ihave | undefined {
  const reader = new Reader(body);
  const message = { interval: readInterval(reader), network: reader.id() as NetworkId, batch: reader.id() };
  return reader.isDone ? message : undefined;
}

export function encodeAcks(acks: readonly Ack[]): Bytes {
  const writer = new Writer().u8(acks.length);
  for (const { counter, isRefused } of acks) writer.u64(counter).u8(isRefused ? 1 : 0);
  return writer.done();
}

export function decodeAcks(body: Bytes): readonly Ack[] | undefined {
  const reader = new Reader(body);
  return readList(reader, maxAcks, () => ({ counter: reader.u64(), isRefused: reader.u8() === 1 }));
}

/** For each network a short proof of its position and rows. Equal proofs end a comparison. */
export type Digest = readonly { readonly network: NetworkId; readonly proof: bigint }[];

export function encodeDigest(digest: Digest): Bytes {
  const writer = new Writer().u8(digest.length);
  for (const { network, proof } of digest) writer.id(network).u64(proof);
  return writer.done();
}

export function decodeDigest(body: Bytes): Digest | undefined {
  const reader = new Reader(body);
  return readList(reader, maxVector, () => ({ network: reader.id() as NetworkId, proof: reader.u64() }));
}

/** How far a table is; undefined: it has nothing. */
export interface Progress {
  readonly network: NetworkId;
  readonly position: Position | undefined;
}

export interface Vector {
  /** The sender has just got the vector of the receiver: no answer is due. */
  readonly isAnswer: boolean;
  readonly entries: readonly Progress[];
}

export function encodeVector({ isAnswer, entries }: Vector): Bytes {
  const writer = new Writer().u8(isAnswer ? 1 : 0).u8(entries.length);
  for (const entry of entries) writeProgress(writer, entry);
  return writer.done();
}

export function decodeVector(body: Bytes): Vector | undefined {
  const reader = new Reader(body);
  const isAnswer = reader.u8() === 1;
  const entries = readList(reader, maxVector, () => readProgress(reader));
  return entries && { isAnswer, entries };
}

export function encodePull(progress: Progress): Bytes {
  const writer = new Writer();
  writeProgress(writer, progress);
  return writer.done();
}

export function decodePull(body: Bytes): Progress | undefined {
  const reader = new Reader(body);
  const progress = readProgress(reader);
  return reader.isDone ? progress : undefined;
}

/** A part of the answer to a pull. `request`: the counter of the frame that asked. */
export interface Batches {
  readonly request: bigint;
  readonly isLast: boolean;
  readonly raws: readonly Bytes[];
}

/** As many frames as the batches need, at most `most`; in the last, `isLast` is true. */
export function encodeBatches(request: bigint, raws: readonly Bytes[], most: number): readonly Bytes[] {
  const packets: Bytes[][] = [];
  let room = 0;
  for (const raw of raws) {
    const size = 2 + raw.length;
    if (size > room) {
      if (packets.length === most) break;
      packets.push([]);
      room = maxBody - batchesHeader;
    }
    packets.at(-1)?.push(raw);
    room -= size;
  }
  return packets.map((packet, i) => {
    const writer = new Writer().u64(request).u8(i === packets.length - 1 ? 1 : 0);
    for (const raw of packet) writer.u16(raw.length).raw(raw);
    return writer.done();
  });
}

const batchesHeader = 9;

export function decodeBatches(body: Bytes): Batches | undefined {
  const reader = new Reader(body);
  const [request, isLast] = [reader.u64(), reader.u8() === 1];
  const raws: Bytes[] = [];
  while (reader.isOk && reader.left > 0) raws.push(reader.raw(Math.min(reader.u16(), maxBatch)));
  return reader.isDone ? { request, isLast, raws } : undefined;
}

/** The rows of some buckets, by the number of the bucket. */
export type BucketRows = ReadonlyMap<number, readonly EncodedRow[]>;

export function encodeBuckets(buckets: BucketRows): Bytes {
  const writer = new Writer().u16(buckets.size);
  for (const [index, rows] of buckets) {
    writer.u8(index).u32(rows.length);
    for (const { bytes } of rows) writer.raw(bytes);
  }
  return writer.done();
}

export function readBuckets(reader: Reader): BucketRows {
  const buckets = new Map<number, EncodedRow[]>();
  let total = 0;
  for (let left = reader.u16(); left > 0 && reader.isOk; left--) {
    const [index, count] = [reader.u8(), reader.u32()];
    total += count;
    if (total > maxRows || buckets.has(index)) reader.fail();
    const rows: EncodedRow[] = [];
    for (let i = 0; i < count && reader.isOk; i++) {
      const change = readChange(reader);
      if (change?.type === 'put') rows.push({ row: change.row, bytes: change.bytes });
      else reader.fail();
    }
    buckets.set(index, rows);
  }
  return buckets;
}

export function encodeNumber(number: bigint): Bytes {
  return new Writer().u64(number).done();
}

export function decodeNumber(body: Bytes): bigint | undefined {
  const reader = new Reader(body);
  const number = reader.u64();
  return reader.isDone ? number : undefined;
}

export function writeProgress(writer: Writer, { network, position }: Progress): void {
  const { epoch, revision, step } = position ?? beginning(0n);
  writer.id(network).u64(epoch);
  writePosition(writer, { epoch, revision, step });
}

/** No revision of the store is 0, so 0 stands for a table without a position. */
export function readProgress(reader: Reader): Progress {
  const network = reader.id() as NetworkId;
  const position = readPosition(reader, reader.u64());
  return { network, position: position.revision === 0n ? undefined : position };
}

function writeInterval(writer: Writer, { tree, lo, span }: Interval): void {
  writer.u8(tree).u32(lo).u32(span);
}

function readInterval(reader: Reader): Interval {
  return { tree: reader.u8() & 1, lo: reader.u32(), span: reader.u32() };
}

/** A list whose length is in its first byte. Undefined: too long, or not all of the bytes. */
function readList<Item>(reader: Reader, most: number, read: () => Item): readonly Item[] | undefined {
  const count = reader.u8();
  if (count > most) return undefined;
  const items: Item[] = [];
  for (let i = 0; i < count && reader.isOk; i++) items.push(read());
  return reader.isDone ? items : undefined;
}
