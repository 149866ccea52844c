import { command } from '../command.ts';
import { managersAnswer } from '../render/manager.ts';

export const managerList = command<object>({
  name: 'list',
  summary: 'list the managers that run',
  description: 'One that died is listed as unreachable for another 15 s.',
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway manager list -o json'],
  async run({ clients }) {
    const { managers } = await clients.managers.listManagers();
    return managersAnswer(managers);
  },
});
