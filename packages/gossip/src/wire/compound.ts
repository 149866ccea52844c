import { type Bytes, concat, putUint16, uint16 } from './bytes.ts';
import { maxParts } from './limits.ts';
import { type } from './message-type.ts';
import { type Decoded, decoded, refused } from './refusal.ts';

/** The type byte and the count. */
export const compoundOverhead = 2;
/** The length of each part. */
export const partOverhead = 2;

/** One message out of at most `maxParts`. A single message stays as it is. */
export function encodeCompound(parts: readonly Bytes[]): Bytes {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  if (parts.length > maxParts) throw new RangeError(`a compound message has at most ${maxParts} parts`);
  const head = new Uint8Array(compoundOverhead + partOverhead * parts.length);
  head[0] = type.compound;
  head[1] = parts.length;
  for (const [i, part] of parts.entries()) putUint16(head, compoundOverhead + partOverhead * i, part.length);
  return concat(head, ...parts);
}

/** The parts that arrived whole: where the end is cut off, the parts before it count, as in Go. */
export function decodeCompound(bytes: Bytes): Decoded<readonly Bytes[]> {
  const count = bytes[1];
  let at = compoundOverhead + partOverhead * (count ?? 0);
  if (count === undefined || at > bytes.length) return refused('truncated');
  const parts: Bytes[] = [];
  for (let i = 0; i < count; i++) {
    const end = at + uint16(bytes, compoundOverhead + partOverhead * i);
    if (end > bytes.length) break;
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return decoded(parts);
}
