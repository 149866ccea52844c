import type { EndpointId } from '@causeway/model';
import { hashOf } from '../keys/hash.ts';
import { type Bytes, concat, equalBytes, type Reader, utf8 } from '../wire/bytes.ts';
import type { EncodedRow, RowChange } from '../wire/row.ts';

/** Buckets of a table: one for each first byte of an id. Ids are random, so the buckets are of like size. */
const buckets = 256;
/** Bytes of a bucket's hash. To find other rows with the same hash is 2^128 work. */
export const bucketHashSize = 16;
const rootLabel = utf8('causeway table root 1\n');

interface Bucket {
  readonly rows: ReadonlyMap<EndpointId, EncodedRow>;
  readonly hash: Bytes;
}

/** The hashes of the buckets that have rows. */
export type BucketHashes = ReadonlyMap<number, Bytes>;

/**
 * The rows of a network, as a value. Its root is a hash over all rows, which managers sign: a host that has the signed root can verify
 * the rows, bucket by bucket, from any source. A change costs the hash of one bucket and of the list of buckets.
 */
export class LiveSet {
  static empty(): LiveSet {
    return new LiveSet(new Map(), 0);
  }

  readonly size: number;
  readonly #buckets: ReadonlyMap<number, Bucket>;
  #root: Bytes | undefined;

  private constructor(all: ReadonlyMap<number, Bucket>, size: number) {
    this.#buckets = all;
    this.size = size;
  }

  get root(): Bytes {
    this.#root ??= rootOf(this.hashes());
    return this.#root;
  }

  get(id: EndpointId): EncodedRow | undefined {
    return this.#buckets.get(bucketOf(id))?.rows.get(id);
  }

  *rows(): Iterable<EncodedRow> {
    for (const { rows } of this.#buckets.values()) yield* rows.values();
  }

  rowsIn(bucket: number): readonly EncodedRow[] {
    return [...(this.#buckets.get(bucket)?.rows.values() ?? [])];
  }

  hashes(): BucketHashes {
    return new Map([...this.#buckets].map(([index, { hash }]) => [index, hash]));
  }

  with(changes: readonly RowChange[]): LiveSet {
    const changed = new Map<number, Map<EndpointId, EncodedRow>>();
    for (const change of changes) {
      const id = change.type === 'put' ? change.row.id : change.id;
      const index = bucketOf(id);
      const rows = changed.get(index) ?? new Map(this.#buckets.get(index)?.rows);
      changed.set(index, rows);
      if (change.type === 'put') rows.set(id, { row: change.row, bytes: change.bytes });
      else rows.delete(id);
    }
    return this.#replaced(changed);
  }

  /** The set in which these buckets have these rows, and the others those that they have. */
  withBuckets(rows: ReadonlyMap<number, readonly EncodedRow[]>): LiveSet {
    return this.#replaced(
      new Map([...rows].map(([index, all]) => [index, new Map(all.map((each) => [each.row.id, each]))])),
    );
  }

  /** Buckets that a set with these hashes has otherwise. */
  differing(hashes: BucketHashes): readonly number[] {
    const all = new Set([...this.#buckets.keys(), ...hashes.keys()]);
    return [...all].filter((index) => !isSame(this.#buckets.get(index)?.hash, hashes.get(index))).sort((a, b) => a - b);
  }

  /** What makes this set of `before`. */
  changesSince(before: LiveSet): readonly RowChange[] {
    const changes: RowChange[] = [];
    for (const index of this.differing(before.hashes())) {
      const [old, rows] = [before.#buckets.get(index)?.rows, this.#buckets.get(index)?.rows];
      for (const id of old?.keys() ?? []) if (rows?.has(id) !== true) changes.push({ type: 'removed', id });
      for (const [id, each] of rows ?? []) {
        const was = old?.get(id);
        if (was === undefined || !equalBytes(was.bytes, each.bytes)) changes.push({ type: 'put', ...each });
      }
    }
    return changes;
  }

  #replaced(changed: ReadonlyMap<number, ReadonlyMap<EndpointId, EncodedRow>>): LiveSet {
    const all = new Map(this.#buckets);
    let size = this.size;
    for (const [index, rows] of changed) {
      size += rows.size - (all.get(index)?.rows.size ?? 0);
      if (rows.size === 0) all.delete(index);
      else all.set(index, { rows, hash: bucketHash(rows) });
    }
    return new LiveSet(all, size);
  }
}

export function bucketOf(id: EndpointId): number {
  return Number.parseInt(id.slice(0, 2), 16);
}

function bucketHash(rows: ReadonlyMap<EndpointId, EncodedRow>): Bytes {
  const sorted = [...rows.values()].sort((a, b) => (a.row.id < b.row.id ? -1 : 1));
  return hashOf(...sorted.map(({ bytes }) => bytes)).slice(0, bucketHashSize);
}

export function rootOf(hashes: BucketHashes): Bytes {
  return hashOf(rootLabel, encodeHashes(hashes));
}

/** A bit for each bucket that has rows, then the hashes of these. */
export function encodeHashes(hashes: BucketHashes): Bytes {
  const bits = new Uint8Array(buckets / 8);
  const sorted = [...hashes].sort(([a], [b]) => a - b);
  for (const [index] of sorted) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  return concat(bits, ...sorted.map(([, hash]) => hash));
}

export function readHashes(reader: Reader): BucketHashes {
  const bits = reader.raw(buckets / 8);
  const hashes = new Map<number, Bytes>();
  for (let index = 0; index < buckets && reader.isOk; index++)
    if (((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0) hashes.set(index, reader.raw(bucketHashSize).slice());
  return hashes;
}

function isSame(a: Bytes | undefined, b: Bytes | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equalBytes(a, b));
}
