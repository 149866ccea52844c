import { Argument } from 'commander';
import { command } from '../command.ts';
import { endpointAnswer } from '../render/endpoint.ts';
import { present } from './present.ts';

interface Input {
  readonly endpoint: string;
}

export const endpointShow = command<Input>({
  name: 'show',
  summary: 'show an endpoint, and which hosts have programmed its last change',
  arguments: [new Argument('<endpoint>', 'id, name, or NETWORK/NAME')],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway endpoint show web', 'causeway endpoint show blue/web -o json'],
  async run({ input, clients, context }) {
    const { endpoint } = await clients.managers.getEndpoint({ endpoint: input.endpoint, atLeast: 0n });
    return endpointAnswer(present(endpoint, 'endpoint'), 'full', context.clock.wall());
  },
});
