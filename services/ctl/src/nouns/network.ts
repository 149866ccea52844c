import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Managers } from '../clients.ts';
import { type Listed, listAll, type Wanted } from '../listing.ts';
import { fullNetworkAnswer, networksAnswer, shownNetwork } from '../render/network.ts';
import { type Change, type Changes, follow, heard, requestOf } from '../watching.ts';
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

export function listNetworks(managers: Pick<Managers, 'listNetworks'>, wanted: Wanted): Promise<Listed<Network>> {
  return listAll(wanted, async (request) => {
    const { networks: items, nextPageToken } = await managers.listNetworks({ ...request, atLeast: 0n });
    return { items, nextPageToken };
  });
}

export function watchNetworks(
  managers: Pick<Managers, 'watchNetworks'>,
  wanted: Wanted,
  changes: Changes,
): AsyncGenerator<Change<Network>> {
  return follow((at) => heard(managers.watchNetworks(requestOf(wanted, at)), ({ network }) => network), changes);
}
