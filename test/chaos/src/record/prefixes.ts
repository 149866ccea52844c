import { BlockList, isIPv6 } from 'node:net';

/** Addresses and prefixes by Node's own reading of them: the product's arithmetic is what is judged. */

interface Parts {
  readonly ip: string;
  readonly length: number;
  readonly family: 'ipv4' | 'ipv6';
}

export function familyOf(prefix: string): 'ipv4' | 'ipv6' {
  return isIPv6(prefix.replace(/\/.*/, '')) ? 'ipv6' : 'ipv4';
}

/** One contains the other, or they are equal: prefixes overlap in no other way. */
export function overlap(a: string, b: string): boolean {
  const [first, second] = [parts(a), parts(b)];
  if (first.family !== second.family) return false;
  const [wide, narrow] = first.length <= second.length ? [first, second] : [second, first];
  return listOf(wide).check(narrow.ip, narrow.family);
}

export function contains(prefix: string, ip: string): boolean {
  return familyOf(prefix) === familyOf(ip) && listOf(parts(prefix)).check(ip, familyOf(ip));
}

/**
 * Addresses that endpoints, gateways and reservations can have. Of IPv4 the first and the last are the network's and the
 * broadcast address, of IPv6 the first is every router's (RFC 4291 §2.6.1).
 */
export function capacity(prefix: string): number {
  const { length, family } = parts(prefix);
  return family === 'ipv4' ? 2 ** (32 - length) - 2 : 2 ** (128 - length) - 1;
}

function parts(prefix: string): Parts {
  const [ip = '', length = ''] = prefix.split('/');
  return { ip, length: Number(length), family: familyOf(prefix) };
}

function listOf({ ip, length, family }: Parts): BlockList {
  const list = new BlockList();
  list.addSubnet(ip, length, family);
  return list;
}
