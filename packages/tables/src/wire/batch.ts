import type { ClusterId, NetworkId } from '@causeway/model';
import { type Bytes, concat, Reader, utf8, Writer } from './bytes.ts';
import { maxBatch } from './limits.ts';
import { type Position, readPosition, writePosition } from './position.ts';
import { encodeChange, type RowChange, readChange } from './row.ts';

/** What a manager signs: the changes of one network from one position to the next, and the digest of all rows after them. */
export interface Unsigned {
  readonly network: NetworkId;
  /** In the epoch of `to`. */
  readonly from: Position;
  readonly to: Position;
  /** Root of the live set at `to`: proves the whole table, not only the changes. */
  readonly root: Bytes;
  readonly changes: readonly RowChange[];
  /** Which table key has signed. */
  readonly keyId: string;
}

export interface Batch extends Unsigned {
  /** The bytes as they were signed: hosts pass these on. */
  readonly raw: Bytes;
}

export const rootSize = 32;
export const signatureSize = 64;
const version = 1;
const label = utf8('causeway table batch 1\n');

/** Bytes of a batch without any change: `version | network | epoch | from | to | root | count | changes | key | signature`. */
const overhead = 1 + 8 + 8 + 10 + 10 + rootSize + 1 + 8 + signatureSize;
const maxChanges = 255;

/** How many of the changes, from `start` on, fit one batch. */
export function fitting(changes: readonly RowChange[], start: number): number {
  let size = overhead;
  let count = 0;
  for (const change of changes.slice(start, start + maxChanges)) {
    size += encodeChange(change).length;
    if (size > maxBatch) break;
    count++;
  }
  return count;
}

export function encodeBatch(batch: Unsigned, cluster: ClusterId, sign: (statement: Bytes) => Bytes): Batch {
  const { network, from, to, root, changes, keyId } = batch;
  const writer = new Writer().u8(version).id(network).u64(to.epoch);
  writePosition(writer, from);
  writePosition(writer, to);
  writer.raw(root).u8(changes.length);
  for (const change of changes) writer.raw(encodeChange(change));
  const signed = writer.id(keyId).done();
  return { ...batch, raw: concat(signed, sign(statement(cluster, signed))) };
}

/** Undefined: malformed. Says nothing of the signature. */
export function decodeBatch(bytes: Bytes): Batch | undefined {
  if (bytes.length > maxBatch) return undefined;
  const reader = new Reader(bytes);
  if (reader.u8() !== version) return undefined;
  const network = reader.id() as NetworkId;
  const epoch = reader.u64();
  const from = readPosition(reader, epoch);
  const to = readPosition(reader, epoch);
  const root = reader.raw(rootSize).slice();
  const changes: RowChange[] = [];
  for (let left = reader.u8(); left > 0 && reader.isOk; left--) {
    const change = readChange(reader);
    if (change !== undefined) changes.push(change);
  }
  const keyId = reader.id();
  reader.raw(signatureSize);
  if (!reader.isDone) return undefined;
  return { network, from, to, root, changes, keyId, raw: bytes.slice() };
}

/** The bytes under the signature. The label and the cluster make it worth nothing anywhere else. */
export function signedPart(
  { raw }: Batch,
  cluster: ClusterId,
): { readonly statement: Bytes; readonly signature: Bytes } {
  const cut = raw.length - signatureSize;
  return { statement: statement(cluster, raw.subarray(0, cut)), signature: raw.subarray(cut) };
}

function statement(cluster: ClusterId, signed: Bytes): Bytes {
  return concat(label, utf8(`${cluster}\n`), signed);
}
