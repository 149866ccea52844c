import { command } from '../command.ts';
import { managersAnswer } from '../render/manager.ts';
import { sorted } from '../render/sort.ts';
import { type SortInput, sortOption } from './list-options.ts';

export const managerList = command<SortInput>({
  name: 'list',
  summary: 'list the managers',
  description:
    'One that stopped or died is listed as unreachable, with since when, until it is back or "causeway manager remove" takes it off.',
  options: [sortOption(['name', 'address', 'state', 'version'])],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway manager list -o json'],
  async run({ input, clients, context }) {
    const { managers } = await clients.managers.listManagers();
    return sorted(managersAnswer(managers, context.clock.wall()), input.sortBy);
  },
});
