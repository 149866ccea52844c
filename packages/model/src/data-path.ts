import { CausewayError } from './error.ts';
import { family, type Ip, parseIp } from './ip.ts';
import { contains, Prefix } from './prefix.ts';
import { fail, ok, type Result } from './result.ts';
import { clip } from './visible.ts';

/** Addresses to which no other host can send. */
const unusable: readonly (readonly [Prefix, string])[] = [
  [Prefix('0.0.0.0/8'), 'unspecified'],
  [Prefix('127.0.0.0/8'), 'loopback'],
  [Prefix('224.0.0.0/3'), 'multicast or reserved'],
  [Prefix('::/128'), 'unspecified'],
  [Prefix('::1/128'), 'loopback'],
  // VXLAN sends to an address without a device, and a link-local address needs one.
  [Prefix('fe80::/10'), 'link-local'],
  [Prefix('ff00::/8'), 'multicast'],
];

/** Why no host can receive VXLAN at this address, in a word; undefined: a host can. */
export function whyNoDataPath(ip: Ip): string | undefined {
  return unusable.find(([range]) => contains(range, ip))?.[1];
}

/** The address at which a host receives VXLAN. `field`: for the error. */
export function parseDataPath(text: string, field: string): Result<Ip, CausewayError> {
  const ip = parseIp(text);
  if (!ip.ok) return refuse(field, text, 'an IPv4 or IPv6 address of this host, such as 10.0.0.1');
  const wrong = whyNoDataPath(ip.value);
  if (wrong === undefined) return ip;
  const expected = `an address that other hosts can send to (${wrong}): use an address of this host, such as 10.0.0.1`;
  return refuse(field, text, expected);
}

/** Where the other hosts reach the data path of a host that is behind a NAT. */
export interface AdvertisedDataPath {
  readonly address: Ip;
  /** The UDP port that the NAT forwards to the port of ESP in UDP; absent: the same port. */
  readonly port?: number;
}

/** As "203.0.113.7", "203.0.113.7:14500" or "[2001:db8::7]:14500", of the family of the data path. */
export function parseAdvertised(text: string, dataPath: Ip, field: string): Result<AdvertisedDataPath, CausewayError> {
  const [, bracketed, bare, digits] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  const address = parseDataPath(bracketed ?? bare ?? text, field);
  if (!address.ok) return address;
  if (family(address.value) !== family(dataPath))
    return refuse(field, text, `an address of the same family as --data-path ${dataPath}`);
  if (digits === undefined) return ok({ address: address.value });
  const port = Number(digits);
  if (digits.length > 5 || port < 1 || port > 65_535) return refuse(field, digits, 'a port from 1 to 65535');
  return ok({ address: address.value, port });
}

function refuse(field: string, text: string, expected: string): Result<never, CausewayError> {
  const message = `${field}: "${clip(text)}" is not ${expected}`;
  return fail(new CausewayError('invalid-argument', message, { field, value: clip(text) }));
}
