import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { listEndpoints, type WantedEndpoints } from '../listing.ts';
import { endpointsAnswer, shownEndpoint } from '../render/endpoint.ts';
import { sorted } from '../render/sort.ts';
import { watchStream } from '../render/watch.ts';
import { watchEndpoints } from '../watching.ts';
import { changesOf, listOptions, type WatchInput, watchHelp } from './list-options.ts';

export const endpointList = command<WantedEndpoints & WatchInput>({
  name: 'list',
  summary: 'list the endpoints, of one network or of all',
  description: watchHelp,
  arguments: [new Argument('[network]', 'name or id')],
  options: [
    new Option('-n, --network <network>', 'the same as the argument'),
    new Option('--host <node>', 'only those of this host, by name or id'),
    ...listOptions(
      ['id', 'name', 'network', 'host', 'address', 'mac'],
      ['name', 'network', 'host', 'addresses', 'applied.have', 'createdAt'],
    ),
  ],
  uses: ['managers', 'timeout', 'output'],
  examples: [
    'causeway endpoint list',
    'causeway endpoint list blue --host h1 -o wide',
    'causeway endpoint list -n blue --sort-by host --no-headers',
    'causeway endpoint list -l tier=web --field host!=h1',
    'causeway endpoint list blue --watch -o json',
  ],
  async run(call) {
    const { input, clients, context } = call;
    if (input.watch)
      return watchStream(watchEndpoints(clients.managers, input, changesOf(call)), shownEndpoint, input.limit);
    const { items, notes } = await listEndpoints(clients.managers, input);
    return { ...sorted(endpointsAnswer(items, context.clock.wall()), input.sortBy), notes };
  },
});
