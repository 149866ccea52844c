import { command } from '../command.ts';
import { managersAnswer } from '../render/manager.ts';
import { sorted } from '../render/sort.ts';
import { type SortInput, sortOption } from './list-options.ts';

export const managerList = command<SortInput>({
  name: 'list',
  summary: 'list the managers that run',
  description: 'One that died is listed as unreachable for another 15 s.',
  options: [sortOption(['name', 'address', 'state', 'version'])],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway manager list -o json'],
  async run({ input, clients }) {
    const { managers } = await clients.managers.listManagers();
    return sorted(managersAnswer(managers), input.sortBy);
  },
});
