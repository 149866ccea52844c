import { Option } from 'commander';
import { command } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { faultsAnswer } from '../render/ipam.ts';

interface Input {
  readonly repair?: true;
}

export const ipamCheck = command<Input>({
  name: 'check',
  summary: 'compare the claims of addresses and VNIs with their owners, in both directions',
  description:
    'Exit 6 when a fault is found; with --repair, when a fault is left. --repair deletes orphaned claims and creates missing claims.\n' +
    'It cannot know which owner of a duplicate is right: detach the other one.',
  options: [new Option('--repair', 'repair what can be repaired')],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ repair }) => (repair === true ? 'causeway ipam check' : undefined),
  examples: ['causeway ipam check -o json', 'causeway ipam check --repair'],
  async run({ input, clients }) {
    const found = await clients.managers.checkClaims({ repair: input.repair === true });
    const faults = [...found.duplicates, ...found.orphans, ...found.missing];
    const answer = faultsAnswer(found);
    return faults.every(({ repaired }) => repaired) ? answer : { ...answer, exitCode: exitCodes.drift };
  },
});
