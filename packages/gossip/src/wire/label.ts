import { type Bytes, concat, equalBytes, utf8 } from './bytes.ts';
import { maxLabel } from './limits.ts';
import { type } from './message-type.ts';

/** The length of a label's header, without the label. */
export const labelOverhead = 2;

/** The header in front of each datagram and stream: nothing for the empty label. */
export function labelHeader(label: Bytes): Bytes {
  return label.length === 0 ? label : concat(Uint8Array.of(type.label, label.length), label);
}

/** The bytes of a label, which every node of a cluster has. */
export function labelBytes(label: string): Bytes {
  const bytes = utf8(label);
  if (bytes.length > maxLabel) throw new RangeError(`a label has at most ${maxLabel} bytes: ${label}`);
  return bytes;
}

/**
 * What comes after the label: `wrong-label` if the bytes have another label, or have one and should not, or lack theirs.
 * `truncated`: more bytes are needed to know.
 */
export function afterLabel(bytes: Bytes, label: Bytes): Bytes | 'truncated' | 'wrong-label' {
  const header = labelHeader(label);
  if (header.length === 0 && bytes[0] === type.label) return 'wrong-label';
  const arrived = Math.min(header.length, bytes.length);
  if (!equalBytes(bytes.subarray(0, arrived), header.subarray(0, arrived))) return 'wrong-label';
  return arrived < header.length ? 'truncated' : bytes.subarray(header.length);
}
