import { command } from '../command.ts';
import { listNodes, type Wanted } from '../listing.ts';
import { nodesAnswer } from '../render/node.ts';
import { listOptions } from './list-options.ts';

export const nodeList = command<Wanted>({
  name: 'list',
  summary: 'list the hosts',
  options: listOptions('id, name, data_path, underlay_mtu, version, ready'),
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway node list', 'causeway node list --field ready=false'],
  async run({ input, clients }) {
    const { items, notes } = await listNodes(clients.managers, input);
    return { ...nodesAnswer(items), notes };
  },
});
