import { type Name, Prefix } from '@causeway/model';
import type { CreateNetwork } from '../plan/create-network.ts';

/** The request for a network that names only its subnets. */
export function plainNetwork(
  name: string,
  subnets: readonly string[],
  over: Partial<CreateNetwork> = {},
): CreateNetwork {
  return {
    name: name as Name,
    addressSpace: 'default' as Name,
    driver: 'overlay',
    internal: false,
    subnets: subnets.map((prefix) => ({ prefix: Prefix(prefix) })),
    gateways: 'all',
    families: [],
    labels: {},
    ...over,
  };
}
