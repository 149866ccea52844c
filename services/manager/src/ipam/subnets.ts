import { CausewayError, type Network, overlaps, type Subnet } from '@causeway/model';
import type { View } from '../store/view.ts';
import { meet, type PrefixRange, prefixRange } from './range.ts';
import { completeSubnet, type GatewayRule } from './subnet.ts';

/** One transaction has room for this many claims of subnets and their gateways. */
export const mostSubnets = 16;

/** A transaction also has room for this many auxiliary addresses (addresses of things outside the cluster). */
const mostAux = 24;

/**
 * The subnets that a request asks for, each with its gateway. `field` names their list in the request. `beside` are the
 * subnets that the network has already.
 * @throws CausewayError subnet-missing, subnet-overlap, invalid-argument, and what `completeSubnet` throws
 */
export function completeSubnets(
  asked: readonly Subnet[],
  gateways: GatewayRule,
  { field, beside }: { readonly field: string; readonly beside: readonly Subnet[] } = { field: 'subnets', beside: [] },
): readonly Subnet[] {
  checkCounts([...beside, ...asked], field);
  return asked.map((subnet, i) => {
    const at = `${field}[${i}]`;
    const others = [
      ...beside.map(({ prefix }) => ({ prefix, what: `${prefix} of the same network` })),
      ...asked.slice(0, i).map(({ prefix }, j) => ({ prefix, what: `${field}[${j}] ${prefix}` })),
    ];
    const other = others.find(({ prefix }) => overlaps(prefix, subnet.prefix));
    if (other !== undefined) {
      const message = `${at} ${subnet.prefix} overlaps ${other.what}: subnets of a network must not overlap`;
      throw new CausewayError('subnet-overlap', message, { field: at, value: subnet.prefix });
    }
    return completeSubnet(subnet, at, gateways);
  });
}

/** @throws CausewayError subnet-overlap when another network of the address space has part of a subnet */
export function checkDisjoint(
  view: View,
  { addressSpace, id }: Pick<Network, 'addressSpace'> & Partial<Pick<Network, 'id'>>,
  subnets: readonly Subnet[],
  field = 'subnets',
): void {
  if (subnets.length === 0) return;
  const ranges = subnets.map(({ prefix }) => prefixRange(prefix));
  for (const { value: network } of view.networks.values()) {
    if (network.addressSpace !== addressSpace || network.id === id) continue;
    for (const other of rangesOf(network)) {
      const at = ranges.findIndex((own) => meet(own, other));
      const subnet = subnets[at];
      if (subnet === undefined) continue;
      const message = `${field}[${at}] ${subnet.prefix} overlaps ${other.prefix} of network "${network.name}" in address space "${addressSpace}"`;
      throw new CausewayError('subnet-overlap', message, {
        field: `${field}[${at}]`,
        value: subnet.prefix,
        network: network.name,
      });
    }
  }
}

function checkCounts(subnets: readonly Subnet[], field: string): void {
  if (subnets.length === 0) {
    const message = `${field}: a network needs at least one subnet, such as 10.66.0.0/16 or fd66::/64`;
    throw new CausewayError('subnet-missing', message, { field });
  }
  if (subnets.length > mostSubnets) {
    const message = `${field}: ${subnets.length} subnets are too many, the limit of a network is ${mostSubnets}`;
    throw new CausewayError('invalid-argument', message, { field });
  }
  const aux = subnets.reduce((sum, { auxAddresses = {} }) => sum + Object.keys(auxAddresses).length, 0);
  if (aux > mostAux) {
    const message = `${field}: ${aux} auxiliary addresses are too many, the limit of a network is ${mostAux}`;
    throw new CausewayError('invalid-argument', message, { field });
  }
}

/** The ranges of each network's subnets, cached: a check against thousands of networks parses nothing. */
const ranges = new WeakMap<Network, readonly PrefixRange[]>();

function rangesOf(network: Network): readonly PrefixRange[] {
  const known = ranges.get(network);
  if (known !== undefined) return known;
  const made = network.subnets.map(({ prefix }) => prefixRange(prefix));
  ranges.set(network, made);
  return made;
}
