import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { command } from '../command.ts';
import { nodesAnswer } from '../render/node.ts';

export const nodeList = command<object>({
  name: 'list',
  summary: 'list the hosts',
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway node list'],
  async run({ clients }) {
    const { nodes } = await clients.managers.listNodes(ListNodesRequest.create());
    return nodesAnswer(nodes);
  },
});
