import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { endpointsAnswer } from '../render/endpoint.ts';

interface Input {
  readonly network?: string;
  readonly host?: string;
}

export const endpointList = command<Input>({
  name: 'list',
  summary: 'list the endpoints, of one network or of all',
  arguments: [new Argument('[network]', 'name or id')],
  options: [new Option('--host <node>', 'only those of this host, by name or id')],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway endpoint list', 'causeway endpoint list blue --host h1 -o wide'],
  async run({ input, clients }) {
    const request = ListEndpointsRequest.create({ network: input.network ?? '', host: input.host ?? '' });
    const { endpoints } = await clients.managers.listEndpoints(request);
    return endpointsAnswer(endpoints);
  },
});
