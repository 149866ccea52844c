import { command } from '../command.ts';
import { listNetworks, type Wanted } from '../listing.ts';
import { networksAnswer } from '../render/network.ts';
import { listOptions } from './list-options.ts';

export const networkList = command<Wanted>({
  name: 'list',
  summary: 'list the networks',
  options: listOptions('id, name, driver, internal, vni, mtu, address_space, subnet'),
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway network list -o wide', 'causeway network list -l "team=core, tier in (web, data)"'],
  async run({ input, clients }) {
    const { items, notes } = await listNetworks(clients.managers, input);
    return { ...networksAnswer(items), notes };
  },
});
