import type { Brand } from './brand.ts';
import { CausewayError } from './error.ts';
import { fail, ok, type Result, unwrap } from './result.ts';
import { clip } from './visible.ts';

/**
 * An IPv4 or IPv6 address in its only canonical text (dotted quad; RFC 5952). It is a primitive, so it compares by value,
 * and can be a map key and be printed. Only `parseIp`, `Ip` and the converters below make it.
 */
export type Ip = Brand<string, 'Ip'>;
export type Family = 4 | 6;

export function parseIp(text: string): Result<Ip, CausewayError> {
  const bytes = text.includes(':') ? readV6(text) : readV4(text);
  if (bytes === undefined) {
    return fail(
      new CausewayError('address-invalid', `"${clip(text)}" is not an IPv4 or IPv6 address`, { value: clip(text) }),
    );
  }
  return ok(ipFromBytes(bytes));
}

/** For text that is known to be an address; throws otherwise. */
export function Ip(text: string): Ip {
  return unwrap(parseIp(text));
}

export function family(ip: Ip): Family {
  return ip.includes(':') ? 6 : 4;
}

/** Width of an address of the family, in bits. */
export function width(of: Family): 32 | 128 {
  return of === 4 ? 32 : 128;
}

/** Network byte order, 4 or 16 bytes. */
export function ipBytes(ip: Ip): Uint8Array {
  const bytes = ip.includes(':') ? readV6(ip) : readV4(ip);
  if (bytes === undefined) throw new TypeError(`not an address: ${ip}`);
  return bytes;
}

export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}` as Ip;
  if (bytes.length === 16) return printV6(bytes) as Ip;
  throw new TypeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
}

export function ipBits(ip: Ip): bigint {
  if (family(ip) === 4) return BigInt(v4Bits(ip));
  let bits = 0n;
  for (const byte of ipBytes(ip)) bits = (bits << 8n) | BigInt(byte);
  return bits;
}

/** For canonical text, which is not checked again: a new pool calls this a million times. */
function v4Bits(ip: Ip): number {
  let bits = 0;
  let octet = 0;
  for (let i = 0; i < ip.length; i++) {
    const digit = ip.charCodeAt(i) - zero;
    if (digit >= 0) {
      octet = octet * 10 + digit;
    } else {
      bits = bits * 256 + octet;
      octet = 0;
    }
  }
  return bits * 256 + octet;
}

/** Character code of "0". That of "." is smaller. */
const zero = 48;

export function ipFromBits(of: Family, bits: bigint): Ip {
  const bytes = new Uint8Array(width(of) / 8);
  let rest = bits;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  if (rest !== 0n) throw new RangeError(`${bits} does not fit an IPv${of} address`);
  return ipFromBytes(bytes);
}

function readV4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[i] = Number(part);
  }
  return bytes;
}

function readV6(text: string): Uint8Array | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = readGroups(halves[0] ?? '', halves.length === 1);
  const tail = readGroups(halves[1] ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const bytes = new Uint8Array(16);
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  for (const [i, group] of groups.entries()) {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 255;
  }
  return bytes;
}

function readGroups(text: string, mayEndInV4: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = mayEndInV4 && i === parts.length - 1 ? readV4(part) : undefined;
      if (v4 === undefined) return undefined;
      groups.push(((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/** RFC 5952 §4: lower case, no leading zeros, the first longest run of two or more zero groups as "::". */
function printV6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (groups[i + run] === 0) run++;
    if (run > length) {
      start = i;
      length = run;
    }
    i += run;
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (start < 0) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}
