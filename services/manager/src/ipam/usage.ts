import { type Ip, type Network, type NodeId, prefixOf } from '@causeway/model';
import type { View } from '../store/view.ts';
import { Pool, type PoolUse } from './subnet-addresses.ts';

/** What has the addresses of one subnet; with those that the prefix keeps for itself they are all there are. */
export interface SubnetUse {
  readonly pool: Pool;
  /** Endpoints' addresses. */
  readonly used: bigint;
  /** Gateway, auxiliary addresses, and reservations. */
  readonly reserved: bigint;
  readonly cooling: bigint;
  readonly free: bigint;
  /** What of `free` lies in the ranges that automatic choices come from. */
  readonly automatic: bigint;
  readonly usedByHost: ReadonlyMap<NodeId, number>;
  readonly reservations: readonly { readonly address: Ip; readonly purpose: string; readonly revision: bigint }[];
}

type Slice = Pick<View, 'addressesOf' | 'endpointsOf'>;

/** One for each subnet of the network, in their order. One look at each claim and endpoint. */
export function useOf(network: Network, view: Slice): readonly SubnetUse[] {
  const pools = network.subnets.map((subnet) => new Pool(subnet.prefix, subnet));
  const reservations = new Map(pools.map((pool) => [pool, [] as SubnetUse['reservations'][number][]]));
  for (const [address, claimed] of view.addressesOf(network.id)) {
    const pool = pools.find((candidate) => candidate.contains(address));
    if (pool === undefined) continue;
    pool.account(address, undefined, claimed);
    const { claim, revision } = claimed;
    if (claim.kind === 'reservation') reservations.get(pool)?.push({ address, purpose: claim.purpose, revision });
  }
  const byHost = usedByHost(network, view);
  return pools.map((pool) => {
    const { used, reserved, cooling } = pool.use;
    return {
      pool,
      used,
      reserved: reserved + pool.named,
      cooling,
      free: freeOf(pool.use),
      automatic: freeOf(pool.useOfRanges),
      usedByHost: byHost.get(pool.prefix) ?? new Map(),
      reservations: reservations.get(pool) ?? [],
    };
  });
}

function freeOf({ size, used, reserved, cooling }: PoolUse): bigint {
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
