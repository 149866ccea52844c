/// <reference path="./node-forge-asn1.d.ts" />
import asn1 from 'node-forge/lib/asn1.js';
import { fromBinary, toBinary, utf8 } from '../text.ts';
import { formatTime } from '../time.ts';

/** ASN.1 in DER, by node-forge. No other file knows node-forge. */

export type Node = ReturnType<typeof asn1.create>;

const universal = 0x00;
const contextSpecific = 0x80;

/** Tags of X.680. */
export const tag = {
  boolean: 1,
  integer: 2,
  bitString: 3,
  octetString: 4,
  oid: 6,
  utf8: 12,
  sequence: 16,
  set: 17,
  utcTime: 23,
  generalizedTime: 24,
} as const;

/** A structure that is nested deeper is none of ours: a certificate has six levels. */
const maxDepth = 16;

export function encode(node: Node): Uint8Array {
  return fromBinary(asn1.toDer(node).getBytes());
}

/** Undefined: the bytes are not one structure in DER. Other encodings of the same structure (BER) are refused, too. */
export function decode(bytes: Uint8Array): Node | undefined {
  const binary = toBinary(bytes);
  try {
    const node = asn1.fromDer(binary, { strict: true, parseAllBytes: true, decodeBitStrings: false, maxDepth });
    return asn1.toDer(node).getBytes() === binary ? node : undefined;
  } catch {
    return undefined;
  }
}

/** The parts of a SEQUENCE, SET or other constructed value. Undefined: the node is none. */
export function parts(node: Node | undefined, type: number = tag.sequence): readonly Node[] | undefined {
  return node !== undefined && node.type === type && Array.isArray(node.value) ? node.value : undefined;
}

/** The content of a primitive value. Undefined: the node is none, or of another type. */
export function content(node: Node | undefined, type: number): Uint8Array | undefined {
  const isOne = node !== undefined && node.tagClass === universal && node.type === type;
  return isOne && typeof node.value === 'string' ? fromBinary(node.value) : undefined;
}

/** The text of an OBJECT IDENTIFIER. */
export function oidOf(node: Node | undefined): string | undefined {
  const bytes = content(node, tag.oid);
  return bytes && asn1.derToOid(toBinary(bytes));
}

export function isContext(node: Node | undefined, number: number): boolean {
  return node !== undefined && node.tagClass === contextSpecific && node.type === number;
}

/** The number and the content of a primitive value with a context-specific tag. Undefined: the node is none. */
export function contextContent(node: Node): { readonly number: number; readonly bytes: Uint8Array } | undefined {
  const isOne = node.tagClass === contextSpecific && typeof node.value === 'string';
  return isOne ? { number: node.type, bytes: fromBinary(node.value as string) } : undefined;
}

export function sequence(...nodes: readonly Node[]): Node {
  return asn1.create(universal, tag.sequence, true, nodes);
}

export function set(...nodes: readonly Node[]): Node {
  return asn1.create(universal, tag.set, true, nodes);
}

export function oid(text: string): Node {
  return asn1.create(universal, tag.oid, false, asn1.oidToDer(text).getBytes());
}

/** DER has TRUE only: FALSE is the default wherever it is possible, and defaults are left out. */
export function yes(): Node {
  return asn1.create(universal, tag.boolean, false, '\xff');
}

/** A number that is not negative, from its bytes, most significant first. */
export function integer(bytes: Uint8Array): Node {
  const from = bytes.findIndex((byte) => byte !== 0);
  const digits = from < 0 ? Uint8Array.of(0) : bytes.subarray(from);
  const sign = (digits[0] ?? 0) >= 0x80 ? '\0' : '';
  return asn1.create(universal, tag.integer, false, sign + toBinary(digits));
}

/** `unused`: number of bits at the end that do not count. */
export function bitString(bytes: Uint8Array, unused = 0): Node {
  return asn1.create(universal, tag.bitString, false, String.fromCharCode(unused) + toBinary(bytes));
}

export function octetString(bytes: Uint8Array): Node {
  return asn1.create(universal, tag.octetString, false, toBinary(bytes));
}

export function utf8String(text: string): Node {
  return asn1.create(universal, tag.utf8, false, toBinary(utf8(text)));
}

/** [number] IMPLICIT of a primitive value. */
export function contextBytes(number: number, bytes: Uint8Array): Node {
  return asn1.create(contextSpecific, number, false, toBinary(bytes));
}

/** [number] of parts. */
export function context(number: number, ...nodes: readonly Node[]): Node {
  return asn1.create(contextSpecific, number, true, nodes);
}

/** In whole seconds. Until 2049 as UTCTime, then as GeneralizedTime (RFC 5280 §4.1.2.5). */
export function time(unixMs: number): Node {
  const digits = formatTime(unixMs).replaceAll(/[-:T]/g, '');
  return digits < '2050'
    ? asn1.create(universal, tag.utcTime, false, digits.slice(2))
    : asn1.create(universal, tag.generalizedTime, false, digits);
}
