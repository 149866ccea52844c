import {
  addressOf,
  CausewayError,
  contains,
  type ErrorCode,
  type Ip,
  lengthOf,
  overlaps,
  Prefix,
  parseName,
  type Subnet,
  sizeOf,
} from '@causeway/model';
import { SubnetAddresses } from './subnet-addresses.ts';

/** Which subnets get a gateway: all (their first usable address when none is named), those that name one, or none. */
export type GatewayRule = 'all' | 'asked-for' | 'none';

/** Keeps a network's record far below the size limit of a transaction (etcd: 1.5 MiB). */
const mostRanges = 64;

/** Prefixes that hosts treat specially, so that no address in them can be a container's. */
const unusable: readonly (readonly [Prefix, string])[] = [
  [Prefix('0.0.0.0/8'), '"this network" (RFC 1122)'],
  [Prefix('127.0.0.0/8'), 'loopback (RFC 1122)'],
  [Prefix('169.254.0.0/16'), 'link-local (RFC 3927)'],
  [Prefix('224.0.0.0/4'), 'multicast (RFC 5771)'],
  [Prefix('240.0.0.0/4'), 'reserved (RFC 1112)'],
  [Prefix('::/8'), 'loopback and mapped addresses (RFC 4291)'],
  [Prefix('fe80::/10'), 'link-local (RFC 4291)'],
  [Prefix('ff00::/8'), 'multicast (RFC 4291)'],
];

/**
 * The complete subnet: with its gateway, and checked for contradictions. `field` is the subnet's place in the request.
 * @throws CausewayError prefix-invalid, gateway-internal, gateway-outside, address-reserved, range-outside,
 * range-overlap, range-empty, aux-address-outside, aux-address-duplicate, name-invalid, subnet-full, invalid-argument
 */
export function completeSubnet(asked: Subnet, field: string, rule: GatewayRule): Subnet {
  const { prefix, ranges, auxAddresses } = asked;
  checkPrefix(prefix, field);
  if (rule === 'none' && asked.gateway !== undefined) {
    const message = `${field}.gateway ${asked.gateway} is not possible: an internal network has no gateway; omit the gateway, or "internal"`;
    throw refuse('gateway-internal', `${field}.gateway`, message, asked.gateway);
  }
  const gateway = rule === 'all' ? (asked.gateway ?? firstUsable(asked)) : asked.gateway;
  if (gateway !== undefined) checkGateway(gateway, prefix, `${field}.gateway`);
  const addresses = new SubnetAddresses(prefix, gateway === undefined ? {} : { gateway });
  checkRanges(ranges ?? [], addresses, `${field}.ranges`);
  checkAuxAddresses(auxAddresses ?? {}, addresses, `${field}.aux_addresses`);
  if (BigInt(Object.keys(auxAddresses ?? {}).length) >= addresses.capacity) {
    const message = `${field} ${prefix} has no address left for endpoints: use a larger subnet`;
    throw refuse('subnet-full', field, message, prefix);
  }
  return gateway === undefined ? asked : { ...asked, gateway };
}

/**
 * `field`: the place of the ranges in the request. `fieldOf`: the place of one range.
 * @throws CausewayError range-outside, range-overlap, range-empty, invalid-argument
 */
export function checkRanges(
  ranges: readonly Prefix[],
  addresses: SubnetAddresses,
  field: string,
  fieldOf = (i: number): string => `${field}[${i}]`,
): void {
  if (ranges.length > mostRanges) {
    throw refuse(
      'invalid-argument',
      field,
      `${field}: ${ranges.length} ranges are too many, the limit is ${mostRanges}`,
    );
  }
  for (const [i, range] of ranges.entries()) {
    const at = fieldOf(i);
    if (!isWithin(range, addresses.prefix)) {
      throw refuse(
        'range-outside',
        at,
        `${at} ${range} is outside of ${addresses.prefix}: use a part of the subnet`,
        range,
      );
    }
    const other = ranges.slice(0, i).find((earlier) => overlaps(earlier, range));
    if (other !== undefined) {
      const message = `${at} ${range} overlaps ${other}: ranges of a subnet must not overlap, name only the larger range`;
      throw refuse('range-overlap', at, message, range);
    }
    if (!hasUsable(range, addresses)) {
      const message = `${at} ${range} has no address that an endpoint can have: use a larger range`;
      throw refuse('range-empty', at, message, range);
    }
  }
}

export function isWithin(inner: Prefix, outer: Prefix): boolean {
  return lengthOf(inner) >= lengthOf(outer) && contains(outer, addressOf(inner));
}

/** @throws CausewayError prefix-invalid when hosts treat a part of the prefix specially */
export function checkUsable(prefix: Prefix, field: string): void {
  const clash = unusable.find(([range]) => overlaps(range, prefix));
  if (clash !== undefined) {
    throw refuse('prefix-invalid', field, `${field} ${prefix} cannot be used: ${clash[0]} is ${clash[1]}`, prefix);
  }
}

function checkPrefix(prefix: Prefix, field: string): void {
  checkUsable(prefix, field);
  if (sizeOf(prefix) < 2n) {
    const longest = lengthOf(prefix) - 1;
    const message = `${field} ${prefix} has a single address, and a network needs at least two: use /${longest} or shorter`;
    throw refuse('prefix-invalid', field, message, prefix);
  }
}

/** An automatic gateway avoids the addresses that the request names. */
function firstUsable({ prefix, auxAddresses }: Subnet): Ip {
  const addresses = new SubnetAddresses(prefix);
  for (const ip of Object.values(auxAddresses ?? {})) if (addresses.contains(ip)) addresses.take(ip);
  return addresses.lowestFree() ?? addressOf(prefix);
}

function checkGateway(gateway: Ip, prefix: Prefix, field: string): void {
  const addresses = new SubnetAddresses(prefix);
  if (!addresses.contains(gateway)) {
    const message = `${field} ${gateway} is outside of ${prefix}: use an address of the subnet, such as ${addresses.lowestFree()}`;
    throw refuse('gateway-outside', field, message, gateway);
  }
  const reservation = addresses.reservation(gateway);
  if (reservation === undefined) return;
  const message = `${field} ${gateway} is the ${reservation} of ${prefix}: use another address, such as ${addresses.lowestFree()}`;
  throw refuse('address-reserved', field, message, gateway);
}

function checkAuxAddresses(aux: Readonly<Record<string, Ip>>, addresses: SubnetAddresses, field: string): void {
  const seen = new Map<Ip, string>();
  for (const [name, ip] of Object.entries(aux)) {
    const at = `${field}.${name}`;
    const parsed = parseName(name, at);
    if (!parsed.ok) throw parsed.error;
    if (!addresses.contains(ip)) {
      const message = `${at} ${ip} is outside of ${addresses.prefix}: name only addresses of the subnet`;
      throw refuse('aux-address-outside', at, message, ip);
    }
    const reservation = addresses.reservation(ip);
    if (reservation !== undefined) {
      const message = `${at} ${ip} is the ${reservation} of ${addresses.prefix}, which no endpoint gets: omit it`;
      throw refuse('address-reserved', at, message, ip);
    }
    const other = seen.get(ip);
    if (other !== undefined) {
      throw refuse('aux-address-duplicate', at, `${at} ${ip} is "${other}" already: name an address once`, ip);
    }
    seen.set(ip, name);
  }
}

function hasUsable(range: Prefix, addresses: SubnetAddresses): boolean {
  const first = addresses.offset(addressOf(range));
  const free = addresses.lowestFree(first);
  return free !== undefined && addresses.offset(free) < first + sizeOf(range);
}

function refuse(code: ErrorCode, field: string, message: string, value?: string): CausewayError {
  return new CausewayError(code, message, value === undefined ? { field } : { field, value });
}
