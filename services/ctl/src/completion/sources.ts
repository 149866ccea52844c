import { everything } from '../listing.ts';
import { listNetworks } from '../nouns/network.ts';
import { candidates, type Source } from './values.ts';

/** Reserved addresses of the network that is the first argument of the line. */
export const reservations: Source = async ({ operands: [network = ''], clients }) => {
  const { subnets } = await clients.managers.showSubnets({ network, atLeast: 0n });
  return subnets.flatMap((subnet) =>
    subnet.reservations.map(({ address, purpose }) => ({ word: address, help: purpose })),
  );
};

/** Subnets of the network that is the first argument of the line. */
export const subnetsOfNetwork: Source = async ({ operands: [network = ''], clients }) => {
  const { network: found } = await clients.managers.getNetwork({ network, atLeast: 0n });
  return (found?.subnets ?? []).map(({ prefix, gateway }) => ({ word: prefix, help: gateway }));
};

/** Label keys of the network that is the first argument of the line. */
export const labelsOfNetwork: Source = async ({ operands: [network = ''], clients }) => {
  const { network: found } = await clients.managers.getNetwork({ network, atLeast: 0n });
  return Object.entries(found?.labels ?? {}).map(([word, help]) => ({ word, help }));
};

/** Address spaces of the existing networks. */
export const addressSpaces: Source = async ({ clients }) => {
  const { items } = await listNetworks(clients.managers, everything);
  return candidates([...new Set(items.map(({ addressSpace }) => addressSpace))].sort());
};
