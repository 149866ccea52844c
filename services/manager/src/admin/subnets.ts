import {
  addressOf,
  CausewayError,
  familyOf,
  ipBits,
  type Name,
  type Network,
  overlaps,
  type Prefix,
  type Subnet,
  sizeOf,
} from '@causeway/model';
import type { View } from '../store/view.ts';
import { completeSubnet, type GatewayRule } from './subnet.ts';

/** One transaction has room for this many claims of subnets and their gateways. */
const most = 16;

/** And for this many addresses of things outside the cluster. */
const mostAux = 24;

/**
 * The subnets a request asks for, each with its gateway.
 * @throws CausewayError subnet-missing, subnet-overlap, invalid-argument, and what `completeSubnet` throws
 */
export function completeSubnets(asked: readonly Subnet[], gateways: GatewayRule): readonly Subnet[] {
  if (asked.length === 0) {
    const message = 'subnets: a network needs at least one, such as 10.66.0.0/16 or fd66::/64';
    throw new CausewayError('subnet-missing', message, { field: 'subnets' });
  }
  if (asked.length > most) {
    const message = `subnets: ${asked.length} are too many, at most ${most}`;
    throw new CausewayError('invalid-argument', message, { field: 'subnets' });
  }
  const aux = asked.reduce((sum, { auxAddresses = {} }) => sum + Object.keys(auxAddresses).length, 0);
  if (aux > mostAux) {
    const message = `subnets: ${aux} auxiliary addresses are too many, at most ${mostAux} in a network`;
    throw new CausewayError('invalid-argument', message, { field: 'subnets' });
  }
  return asked.map((subnet, i) => {
    for (const [j, earlier] of asked.slice(0, i).entries()) {
      if (!overlaps(subnet.prefix, earlier.prefix)) continue;
      const message = `subnets[${i}] ${subnet.prefix} overlaps subnets[${j}] ${earlier.prefix}: subnets of a network are disjoint`;
      throw new CausewayError('subnet-overlap', message, { field: `subnets[${i}]`, value: subnet.prefix });
    }
    return completeSubnet(subnet, `subnets[${i}]`, gateways);
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
