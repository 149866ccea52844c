import { BlockList, isIPv6 } from 'node:net';

/** Addresses and prefixes, parsed by Node: the product's own arithmetic is under test. */

interface Parts {
  readonly ip: string;
  readonly length: number;
  readonly family: 'ipv4' | 'ipv6';
}

export function familyOf(prefix: string): 'ipv4' | 'ipv6' {
  return isIPv6(prefix.replace(/\/.*/, '')) ? 'ipv6' : 'ipv4';
}

/** Whether one contains the other or both are equal. Prefixes cannot overlap in another way. */
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
 * Number of addresses that endpoints, gateways and reservations can have. In IPv4 the first and the last address are the
 * network's and the broadcast address; in IPv6 the first is the subnet-router anycast address (RFC 4291 §2.6.1).
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
