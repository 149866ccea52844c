import { randomUuid } from '@causeway/runtime';
import { Argument } from 'commander';
import { command } from '../command.ts';
import { removalAnswer } from '../render/removal.ts';

interface Input {
  readonly network: string;
}

export const networkDelete = command<Input>({
  name: 'delete',
  summary: 'delete a network',
  description: 'Refused (exit 4) while the network has endpoints.',
  arguments: [new Argument('<network>', 'name or id')],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway network delete blue'],
  async run({ input, clients, context }) {
    const requestId = randomUuid(context.random);
    const { revision } = await clients.managers.deleteNetwork({ requestId, network: input.network });
    return removalAnswer(input.network, revision, `network ${input.network} deleted, revision ${revision}`);
  },
});
