import { command } from '../command.ts';
import { listNodes, type Wanted } from '../listing.ts';
import { nodesAnswer, shownNode } from '../render/node.ts';
import { sorted } from '../render/sort.ts';
import { watchStream } from '../render/watch.ts';
import { watchNodes } from '../watching.ts';
import { changesOf, listOptions, type WatchInput, watchHelp } from './list-options.ts';

export const nodeList = command<Wanted & WatchInput>({
  name: 'list',
  summary: 'list the hosts',
  description: watchHelp,
  options: listOptions(
    ['id', 'name', 'data_path', 'underlay_mtu', 'version', 'ready'],
    ['name', 'ready', 'dataPath', 'networks', 'endpoints', 'repairs', 'createdAt'],
  ),
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway node list', 'causeway node list --field ready=false', 'causeway node list --sort-by -endpoints'],
  async run(call) {
    const { input, clients, context } = call;
    if (input.watch) return watchStream(watchNodes(clients.managers, input, changesOf(call)), shownNode, input.limit);
    const { items, notes } = await listNodes(clients.managers, input);
    return { ...sorted(nodesAnswer(items, context.clock.wall()), input.sortBy), notes };
  },
});
