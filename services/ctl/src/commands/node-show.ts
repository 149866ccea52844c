import { Argument } from 'commander';
import { command } from '../command.ts';
import { nodeAnswer } from '../render/node.ts';
import { present } from './present.ts';

interface Input {
  readonly node: string;
}

export const nodeShow = command<Input>({
  name: 'show',
  summary: 'show a host',
  arguments: [new Argument('<node>', 'name or id')],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway node show h1'],
  async run({ input, clients, context }) {
    const { node } = await clients.managers.getNode({ node: input.node });
    return nodeAnswer(present(node, 'node'), context.clock.wall());
  },
});
