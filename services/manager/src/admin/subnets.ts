import {
  addressOf,
  CausewayError,
  contains,
  familyOf,
  type Ip,
  ipBits,
  lengthOf,
  type Name,
  type Network,
  overlaps,
  Prefix,
  type Subnet,
  sizeOf,
} from '@causeway/model';
import { Pool } from '../allocator/pool.ts';
import type { View } from '../store/view.ts';

/** One transaction has room for this many claims of subnets and their gateways. */
const most = 16;

/** Prefixes that hosts treat in their own way, so nothing in them can be a container's address. */
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
 * The subnets a request asks for, each with its gateway: the asked-for one, else the subnet's first usable address.
 * @throws CausewayError that names the subnet at fault
 */
export function completeSubnets(asked: readonly Subnet[]): readonly Subnet[] {
  if (asked.length === 0) {
    const message = 'subnets: a network needs at least one, such as 10.66.0.0/16 or fd66::/64';
    throw new CausewayError('invalid-argument', message, { field: 'subnets' });
  }
  if (asked.length > most) {
    const message = `subnets: ${asked.length} are too many, at most ${most}`;
    throw new CausewayError('invalid-argument', message, { field: 'subnets' });
  }
  return asked.map((subnet, i) => {
    checkPrefix(subnet.prefix, i);
    for (const [j, earlier] of asked.slice(0, i).entries()) {
      if (!overlaps(subnet.prefix, earlier.prefix)) continue;
      const message = `subnets[${i}] ${subnet.prefix} overlaps subnets[${j}] ${earlier.prefix}: subnets of a network are disjoint`;
      throw new CausewayError('subnet-overlap', message, { field: `subnets[${i}]`, value: subnet.prefix });
    }
    return { prefix: subnet.prefix, gateway: gatewayOf(subnet, i) };
  });
}

/** @throws CausewayError subnet-overlap when a network of the address space has part of a subnet */
export function checkDisjoint(view: View, space: Name, subnets: readonly Subnet[]): void {
  const wanted = subnets.map(({ prefix }) => span(prefix));
  for (const { value: network } of view.networks.values()) {
    if (network.addressSpace !== space) continue;
    for (const other of spansOf(network)) {
      const at = wanted.findIndex((own) => own.six === other.six && own.first <= other.last && other.first <= own.last);
      const subnet = subnets[at];
      if (subnet === undefined) continue;
      const message = `subnets[${at}] ${subnet.prefix} overlaps ${other.prefix} of network "${network.name}" in address space "${space}"`;
      throw new CausewayError('subnet-overlap', message, {
        field: `subnets[${at}]`,
        value: subnet.prefix,
        network: network.name,
      });
    }
  }
}

function checkPrefix(prefix: Prefix, i: number): void {
  const field = `subnets[${i}]`;
  const clash = unusable.find(([range]) => overlaps(range, prefix));
  if (clash !== undefined) {
    const message = `${field} ${prefix} cannot be used: ${clash[0]} is ${clash[1]}`;
    throw new CausewayError('prefix-invalid', message, { field, value: prefix });
  }
  if (sizeOf(prefix) < 2n) {
    const longest = lengthOf(prefix) - 1;
    const message = `${field} ${prefix} has one address, none is left beside the gateway: use /${longest} or shorter`;
    throw new CausewayError('prefix-invalid', message, { field, value: prefix });
  }
}

function gatewayOf({ prefix, gateway }: Subnet, i: number): Ip {
  const pool = new Pool(prefix);
  const field = `subnets[${i}].gateway`;
  if (gateway === undefined) return pool.lowestFree() ?? addressOf(prefix);
  if (!contains(prefix, gateway)) {
    const message = `${field} ${gateway} is outside of ${prefix}: use an address of the subnet, such as ${pool.lowestFree()}`;
    throw new CausewayError('gateway-outside', message, { field, value: gateway });
  }
  const reservation = pool.reservation(gateway);
  if (reservation !== undefined) {
    const message = `${field} ${gateway} is the ${reservation} of ${prefix}: use another one, such as ${pool.lowestFree()}`;
    throw new CausewayError('address-reserved', message, { field, value: gateway });
  }
  return gateway;
}

interface Span {
  readonly prefix: Prefix;
  readonly six: boolean;
  readonly first: bigint;
  readonly last: bigint;
}

/** Numbers of a network's subnets, kept with it: a check against thousands of networks parses nothing. */
const spans = new WeakMap<Network, readonly Span[]>();

function spansOf(network: Network): readonly Span[] {
  const known = spans.get(network);
  if (known !== undefined) return known;
  const made = network.subnets.map(({ prefix }) => span(prefix));
  spans.set(network, made);
  return made;
}

function span(prefix: Prefix): Span {
  const first = ipBits(addressOf(prefix));
  return { prefix, six: familyOf(prefix) === 6, first, last: first + sizeOf(prefix) - 1n };
}
