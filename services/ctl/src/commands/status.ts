import { command } from '../command.ts';
import { statusAnswer } from '../render/status.ts';

export const status = command<object>({
  name: 'status',
  summary: 'show the cluster on one page',
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway status', 'causeway status -o json'],
  async run({ clients, context }) {
    return statusAnswer(await clients.managers.getStatus(), context.clock.wall());
  },
});
