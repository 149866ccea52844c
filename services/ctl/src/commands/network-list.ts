import { ListNetworksRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { command } from '../command.ts';
import { networksAnswer } from '../render/network.ts';

export const networkList = command<object>({
  name: 'list',
  summary: 'list the networks',
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway network list -o wide'],
  async run({ clients }) {
    const { networks } = await clients.managers.listNetworks(ListNetworksRequest.create());
    return networksAnswer(networks);
  },
});
