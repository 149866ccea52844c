import type { Brand } from './brand.ts';
import { CausewayError } from './error.ts';
import { type Family, family, type Ip, ipBits, ipFromBits, parseIp, width } from './ip.ts';
import { fail, ok, type Result, unwrap } from './result.ts';
import { clip } from './visible.ts';

/** A prefix in canonical text, with zero host bits: "10.66.0.0/16", "fd66::/64". */
export type Prefix = Brand<string, 'Prefix'>;

/** An address with the length of its subnet, as an interface carries it: "10.66.0.9/16". */
export type InterfaceAddress = Brand<string, 'InterfaceAddress'>;

export function parsePrefix(text: string): Result<Prefix, CausewayError> {
  const parts = split(text);
  if (parts === undefined) {
    const message = `"${clip(text)}" is not a prefix: expected ADDRESS/LENGTH such as 10.66.0.0/16 or fd66::/64`;
    return fail(new CausewayError('prefix-invalid', message, { value: clip(text) }));
  }
  const network = maskOf(parts.ip, parts.length);
  if (network !== parts.ip) {
    const message = `${parts.ip}/${parts.length} has host bits set: did you mean ${network}/${parts.length}?`;
    return fail(
      new CausewayError('prefix-host-bits', message, { value: clip(text), suggestion: `${network}/${parts.length}` }),
    );
  }
  return ok(`${network}/${parts.length}` as Prefix);
}

export function Prefix(text: string): Prefix {
  return unwrap(parsePrefix(text));
}

export function parseInterfaceAddress(text: string): Result<InterfaceAddress, CausewayError> {
  const parts = split(text);
  if (parts === undefined) {
    const message = `"${clip(text)}" is not an interface address: expected ADDRESS/LENGTH such as 10.66.0.9/16`;
    return fail(new CausewayError('address-invalid', message, { value: clip(text) }));
  }
  return ok(`${parts.ip}/${parts.length}` as InterfaceAddress);
}

export function InterfaceAddress(text: string): InterfaceAddress {
  return unwrap(parseInterfaceAddress(text));
}

export function interfaceAddress(ip: Ip, length: number): InterfaceAddress {
  return `${ip}/${length}` as InterfaceAddress;
}

/** The address part of a prefix (its network address) or of an interface address. */
export function addressOf(of: Prefix | InterfaceAddress): Ip {
  return of.slice(0, of.indexOf('/')) as Ip;
}

export function lengthOf(of: Prefix | InterfaceAddress): number {
  return Number(of.slice(of.indexOf('/') + 1));
}

export function familyOf(of: Prefix | InterfaceAddress): Family {
  return family(addressOf(of));
}

/** The subnet that contains the interface address. */
export function prefixOf(of: InterfaceAddress): Prefix {
  return `${maskOf(addressOf(of), lengthOf(of))}/${lengthOf(of)}` as Prefix;
}

/** Number of addresses in the prefix, reserved addresses included. */
export function sizeOf(prefix: Prefix): bigint {
  return 1n << BigInt(width(familyOf(prefix)) - lengthOf(prefix));
}

export function contains(prefix: Prefix, ip: Ip): boolean {
  return family(ip) === familyOf(prefix) && maskOf(ip, lengthOf(prefix)) === addressOf(prefix);
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return lengthOf(a) <= lengthOf(b) ? contains(a, addressOf(b)) : contains(b, addressOf(a));
}

export function nthAddress(prefix: Prefix, offset: bigint): Ip {
  return ipFromBits(familyOf(prefix), ipBits(addressOf(prefix)) + offset);
}

function split(text: string): { ip: Ip; length: number } | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const ip = match?.[1] === undefined ? undefined : parseIp(match[1]);
  const length = Number(match?.[2]);
  if (ip === undefined || !ip.ok || length > width(family(ip.value))) return undefined;
  return { ip: ip.value, length };
}

function maskOf(ip: Ip, length: number): Ip {
  const host = BigInt(width(family(ip)) - length);
  return ipFromBits(family(ip), (ipBits(ip) >> host) << host);
}
