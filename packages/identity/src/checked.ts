import { createHash } from 'node:crypto';
import { concat, fromBase32, toBase32, utf8 } from './text.ts';

/**
 * Bytes as text that people copy: base 32, with a checksum, so that a mistyped text is recognised without a network. The
 * checksum is of the kind of text, too, so that a text is not taken for another kind.
 */
export interface CheckedText {
  readonly kind: string;
  /** Number of bytes without the checksum. */
  readonly bytes: number;
  /** Number of bytes of the checksum. Together with `bytes` a multiple of five. */
  readonly checksum: number;
}

export function formatChecked(form: CheckedText, bytes: Uint8Array): string {
  return toBase32(concat(bytes, checksum(form, bytes)));
}

/** The bytes, or what is wrong with the text. The answer contains no part of the text, which may be secret. */
export function parseChecked(form: CheckedText, text: string): Uint8Array | string {
  const length = ((form.bytes + form.checksum) / 5) * 8;
  if (text.length !== length) return `has ${text.length} characters; expected ${length}`;
  const whole = fromBase32(text);
  if (whole === undefined) return 'has characters other than 0-9 and a-z without i, l, o and u';
  const bytes = whole.slice(0, form.bytes);
  const given = whole.subarray(form.bytes);
  return checksum(form, bytes).every((byte, i) => byte === given[i]) ? bytes : 'is mistyped: its checksum is wrong';
}

function checksum({ kind, checksum: length }: CheckedText, bytes: Uint8Array): Uint8Array {
  return createHash('sha256')
    .update(utf8(`causeway ${kind}\0`))
    .update(bytes)
    .digest()
    .subarray(0, length);
}
