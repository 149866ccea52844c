import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Managers } from '../clients.ts';
import { type Listed, type ListQuery, listAll } from '../listing.ts';
import { fullNetworkAnswer, networksAnswer, shownNetwork } from '../render/network.ts';
import { type Change, type Changes, follow, requestOf, watchMessages } from '../watching.ts';
import type { Noun } from './noun.ts';

export const network: Noun<Network> = {
  name: 'network',
  list: {
    summary: 'list the networks',
    fields: ['id', 'name', 'driver', 'internal', 'vni', 'mtu', 'address_space', 'subnet'],
    sortable: ['name', 'vni', 'mtu', 'createdAt', 'revision'],
    examples: [
      'causeway network list -o wide',
      'causeway network list --sort-by -createdAt',
      'causeway network list -l "team=core, tier in (web, data)"',
    ],
  },
  show: { summary: 'show a network', argument: 'name or id', examples: ['causeway network show blue'] },
  all: listNetworks,
  watch: watchNetworks,
  get: async (managers, name) => (await managers.getNetwork({ network: name, atLeast: 0n })).network,
  shown: shownNetwork,
  table: networksAnswer,
  sheet: fullNetworkAnswer,
  candidates: (items) =>
    items.map(({ name, subnets }) => ({ word: name, help: subnets.map(({ prefix }) => prefix).join(', ') })),
};

export function listNetworks(managers: Pick<Managers, 'listNetworks'>, query: ListQuery): Promise<Listed<Network>> {
  return listAll(query, async (request) => {
    const { networks: items, nextPageToken } = await managers.listNetworks({ ...request, atLeast: 0n });
    return { items, nextPageToken };
  });
}

export function watchNetworks(
  managers: Pick<Managers, 'watchNetworks'>,
  query: ListQuery,
  changes: Changes,
): AsyncGenerator<Change<Network>> {
  return follow((at) => watchMessages(managers.watchNetworks(requestOf(query, at)), ({ network }) => network), changes);
}
