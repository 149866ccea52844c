import { randomUuid } from '@causeway/runtime';
import { Argument } from 'commander';
import { command } from '../command.ts';
import { removalAnswer } from '../render/removal.ts';

interface Input {
  readonly endpoint: string;
}

export const endpointDetach = command<Input>({
  name: 'detach',
  summary: 'take an interface of this host off its network',
  description: 'Its addresses are free again. An endpoint this host does not have is not found (exit 3).',
  arguments: [new Argument('<endpoint>', 'id, name, or NETWORK/NAME')],
  uses: ['socket', 'timeout', 'output'],
  progress: 'waiting for the agent',
  examples: ['causeway endpoint detach web', 'causeway endpoint detach blue/web'],
  async run({ input, clients, context }) {
    const requestId = randomUuid(context.random);
    const { revision } = await clients.agent.detach({ requestId, endpoint: input.endpoint });
    return removalAnswer(input.endpoint, revision, `endpoint ${input.endpoint} detached, revision ${revision}`);
  },
});
