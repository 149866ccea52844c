import { command } from '../command.ts';
import { listNetworks, type Wanted } from '../listing.ts';
import { networksAnswer, shownNetwork } from '../render/network.ts';
import { sorted } from '../render/sort.ts';
import { watchStream } from '../render/watch.ts';
import { watchNetworks } from '../watching.ts';
import { changesOf, listOptions, type WatchInput, watchHelp } from './list-options.ts';

export const networkList = command<Wanted & WatchInput>({
  name: 'list',
  summary: 'list the networks',
  description: watchHelp,
  options: listOptions(
    ['id', 'name', 'driver', 'internal', 'vni', 'mtu', 'address_space', 'subnet'],
    ['name', 'vni', 'mtu', 'createdAt', 'revision'],
  ),
  uses: ['managers', 'timeout', 'output'],
  examples: [
    'causeway network list -o wide',
    'causeway network list --sort-by -createdAt',
    'causeway network list -l "team=core, tier in (web, data)"',
  ],
  async run(call) {
    const { input, clients, context } = call;
    if (input.watch)
      return watchStream(watchNetworks(clients.managers, input, changesOf(call)), shownNetwork, input.limit);
    const { items, notes } = await listNetworks(clients.managers, input);
    return { ...sorted(networksAnswer(items, context.clock.wall()), input.sortBy), notes };
  },
});
