import { Argument } from 'commander';
import { command } from '../command.ts';
import { subnetsAnswer } from '../render/ipam.ts';

interface Input {
  readonly network: string;
}

export const ipamShow = command<Input>({
  name: 'show',
  summary: "show how the addresses of a network's subnets are used",
  description:
    'Used: addresses of endpoints. Reserved: gateways, auxiliary addresses and reservations. Cooling: freed addresses that some host\n' +
    'may still have in its kernel.',
  arguments: [new Argument('<network>', 'name or id')],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway ipam show blue', 'causeway ipam show blue -o json'],
  async run({ input, clients }) {
    const { subnets } = await clients.managers.showSubnets({ network: input.network, atLeast: 0n });
    return subnetsAnswer(subnets);
  },
});
