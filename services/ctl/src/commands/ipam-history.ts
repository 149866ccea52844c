import { type Ip, parseIp } from '@causeway/model';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { parseAs } from '../parse.ts';
import { historyAnswer } from '../render/ipam.ts';

interface Input {
  readonly address: Ip;
  readonly network: string;
}

export const ipamHistory = command<Input>({
  name: 'history',
  summary: 'show which endpoints had an address, and when',
  description:
    'The history goes back as far as events are kept (causeway-manager --event-history). The start of a holding that began\n' +
    'before that is unknown. Exit 3 when no holder is known.',
  arguments: [new Argument('<address>', 'without prefix length').argParser(parseAs('address', parseIp))],
  options: [new Option('--network <name>', 'name or id, also of a deleted network').default('', 'every network')],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  examples: ['causeway ipam history 10.66.0.9', 'causeway ipam history 10.66.0.9 --network blue -o json'],
  async run({ input, clients }) {
    const { holdings } = await clients.managers.getAddressHistory({ address: input.address, network: input.network });
    return historyAnswer(holdings);
  },
});
