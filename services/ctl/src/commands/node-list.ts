import { command } from '../command.ts';
import { nodesAnswer } from '../render/node.ts';

export const nodeList = command<object>({
  name: 'list',
  summary: 'list the hosts',
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway node list'],
  async run({ clients }) {
    const { nodes } = await clients.managers.listNodes();
    return nodesAnswer(nodes);
  },
});
