import { type Ip, type Network, type NodeId, prefixOf } from '@causeway/model';
import type { View } from '../store/view.ts';
import { type AddressUse, SubnetAddresses } from './subnet-addresses.ts';

/**
 * How the addresses of one subnet are used. Together with the addresses that the prefix reserves, these are all its
 * addresses.
 */
export interface SubnetUse {
  readonly subnet: SubnetAddresses;
  /** Addresses of endpoints. */
  readonly used: bigint;
  /** Gateway, auxiliary addresses, and reservations. */
  readonly reserved: bigint;
  readonly cooling: bigint;
  readonly free: bigint;
  /** The part of `free` that lies in the ranges for automatic choices. */
  readonly automatic: bigint;
  readonly usedByHost: ReadonlyMap<NodeId, number>;
  readonly reservations: readonly { readonly address: Ip; readonly purpose: string; readonly revision: bigint }[];
}

type Slice = Pick<View, 'addressesOf' | 'endpointsOf'>;

/** The use of each subnet of the network, in their order. Reads each claim and each endpoint once. */
export function useOf(network: Network, view: Slice): readonly SubnetUse[] {
  const subnets = network.subnets.map((subnet) => new SubnetAddresses(subnet.prefix, subnet));
  const reservations = new Map(subnets.map((subnet) => [subnet, [] as SubnetUse['reservations'][number][]]));
  for (const [address, claimed] of view.addressesOf(network.id)) {
    const subnet = subnets.find((candidate) => candidate.contains(address));
    if (subnet === undefined) continue;
    subnet.account(address, undefined, claimed);
    const { claim, revision } = claimed;
    if (claim.kind === 'reservation') reservations.get(subnet)?.push({ address, purpose: claim.purpose, revision });
  }
  const byHost = usedByHost(network, view);
  return subnets.map((subnet) => {
    const { used, reserved, cooling } = subnet.use;
    return {
      subnet,
      used,
      reserved: reserved + subnet.named,
      cooling,
      free: freeOf(subnet.use),
      automatic: freeOf(subnet.useOfRanges),
      usedByHost: byHost.get(subnet.prefix) ?? new Map(),
      reservations: reservations.get(subnet) ?? [],
    };
  });
}

function freeOf({ size, used, reserved, cooling }: AddressUse): bigint {
  return size - used - reserved - cooling;
}

function usedByHost({ id }: Network, view: Slice): ReadonlyMap<string, ReadonlyMap<NodeId, number>> {
  const bySubnet = new Map<string, Map<NodeId, number>>();
  for (const { value: endpoint } of view.endpointsOf(id).values()) {
    for (const prefix of endpoint.addresses.map(prefixOf)) {
      const counts = bySubnet.get(prefix) ?? new Map<NodeId, number>();
      counts.set(endpoint.node, (counts.get(endpoint.node) ?? 0) + 1);
      bySubnet.set(prefix, counts);
    }
  }
  return bySubnet;
}
