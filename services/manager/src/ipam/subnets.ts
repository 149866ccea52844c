import { CausewayError, type Network, overlaps, type Subnet } from '@causeway/model';
import { prefixRange } from '../store/records/address-range.ts';
import type { View } from '../store/view.ts';
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
  for (const [at, subnet] of subnets.entries()) {
    const own = prefixRange(subnet.prefix);
    for (const { range, holder } of view.records('network').subnetsIn(addressSpace, own.family).overlapping(own)) {
      if (holder === id) continue;
      const network = view.networks.get(holder)?.value.name ?? holder;
      const message = `${field}[${at}] ${subnet.prefix} overlaps ${range.prefix} of network "${network}" in address space "${addressSpace}"`;
      throw new CausewayError('subnet-overlap', message, { field: `${field}[${at}]`, value: subnet.prefix, network });
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
