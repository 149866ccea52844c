import { CausewayError, clip } from '@causeway/model';
import { Argument } from 'commander';
import { command } from '../command.ts';
import { managerAnswer } from '../render/manager.ts';

interface Input {
  readonly manager: string;
}

export const managerShow = command<Input>({
  name: 'show',
  summary: 'show a manager, and the etcd member it supervises',
  arguments: [new Argument('<manager>', 'its name')],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway manager show m1', 'causeway manager show m1 -o json'],
  async run({ input, clients, context }) {
    const status = await clients.managers.getStatus({});
    const manager = status.managers.find(({ name }) => name === input.manager);
    if (manager !== undefined) return managerAnswer(manager, status, context.clock.wall());
    const data = { field: 'manager', value: clip(input.manager) };
    throw new CausewayError('manager-unknown', `there is no manager "${clip(input.manager)}"`, data);
  },
});
