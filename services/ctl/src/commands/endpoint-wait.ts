import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { endpointAnswer } from '../render/endpoint.ts';
import { present } from './present.ts';
import { waitApplied } from './wait-applied.ts';

interface Input {
  readonly endpoint: string;
  readonly for: 'applied';
}

export const endpointWait = command<Input>({
  name: 'wait',
  summary: "wait until every ready host of the network has programmed an endpoint's last change",
  description: 'Exit 5 when that takes longer than --timeout; the endpoint is printed in any case.',
  arguments: [new Argument('<endpoint>', 'id, name, or NETWORK/NAME')],
  options: [new Option('--for <state>', 'what to wait for').choices(['applied']).default('applied')],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  progress: 'waiting for the hosts',
  examples: ['causeway endpoint wait web --for applied --timeout 5s'],
  async run({ input, settings, clients, context }) {
    const { endpoint } = await clients.managers.getEndpoint({ endpoint: input.endpoint, atLeast: 0n });
    const { endpoint: waited, ...outcome } = await waitApplied(
      clients.managers,
      present(endpoint, 'endpoint'),
      settings.timeout,
    );
    return { ...endpointAnswer(waited, 'full', context.clock.wall()), ...outcome };
  },
});
