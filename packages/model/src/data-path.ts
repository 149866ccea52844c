import type { Ip } from './ip.ts';
import { contains, Prefix } from './prefix.ts';

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
