import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { listEndpoints, type WantedEndpoints } from '../listing.ts';
import { endpointsAnswer } from '../render/endpoint.ts';
import { listOptions } from './list-options.ts';

export const endpointList = command<WantedEndpoints>({
  name: 'list',
  summary: 'list the endpoints, of one network or of all',
  arguments: [new Argument('[network]', 'name or id')],
  options: [
    new Option('--host <node>', 'only those of this host, by name or id'),
    ...listOptions('id, name, network, host, address, mac'),
  ],
  uses: ['managers', 'timeout', 'output'],
  examples: [
    'causeway endpoint list',
    'causeway endpoint list blue --host h1 -o wide',
    'causeway endpoint list -l tier=web --field host!=h1',
  ],
  async run({ input, clients }) {
    const { items, notes } = await listEndpoints(clients.managers, input);
    return { ...endpointsAnswer(items), notes };
  },
});
