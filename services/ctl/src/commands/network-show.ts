import { Argument } from 'commander';
import { command } from '../command.ts';
import { fullNetworkAnswer } from '../render/network.ts';
import { present } from './present.ts';

interface Input {
  readonly network: string;
}

export const networkShow = command<Input>({
  name: 'show',
  summary: 'show a network',
  arguments: [new Argument('<network>', 'name or id')],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway network show blue'],
  async run({ input, clients, context }) {
    const { network } = await clients.managers.getNetwork({ network: input.network, atLeast: 0n });
    return fullNetworkAnswer(present(network, 'network'), context.clock.wall());
  },
});
