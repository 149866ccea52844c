import { type BucketHashes, encodeHashes, readHashes } from '../table/live-set.ts';
import { type Bytes, concat, Reader, Writer } from '../wire/bytes.ts';
import { maxBatch } from '../wire/limits.ts';
import {
  type BucketRows,
  encodeBuckets,
  encodePull,
  type Progress,
  readBuckets,
  readProgress,
} from '../wire/message.ts';

/** "This is what I have": the answer has the rows of the buckets that differ. */
export interface Compare extends Progress {
  readonly hashes: BucketHashes;
}

/** The whole table of a peer, as far as the asking host lacks it. */
export interface State {
  /** The counter of the frame that asked. */
  readonly request: bigint;
  /** The newest batch of the peer, whose signed root proves the hashes, which prove the rows. */
  readonly head: Bytes;
  readonly hashes: BucketHashes;
  readonly buckets: BucketRows;
}

export function encodeCompare({ hashes, ...progress }: Compare): Bytes {
  return concat(encodePull(progress), encodeHashes(hashes));
}

export function decodeCompare(body: Bytes): Compare | undefined {
  const reader = new Reader(body);
  const compare = { ...readProgress(reader), hashes: readHashes(reader) };
  return reader.isDone ? compare : undefined;
}

export function encodeState({ request, head, hashes, buckets }: State): Bytes {
  const writer = new Writer().u64(request).u16(head.length).raw(head);
  return concat(writer.done(), encodeHashes(hashes), encodeBuckets(buckets));
}

export function decodeState(body: Bytes): State | undefined {
  const reader = new Reader(body);
  const request = reader.u64();
  const head = reader.raw(Math.min(reader.u16(), maxBatch));
  const state = { request, head, hashes: readHashes(reader), buckets: readBuckets(reader) };
  return reader.isDone ? state : undefined;
}
