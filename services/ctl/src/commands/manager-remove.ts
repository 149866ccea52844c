import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';

interface Input {
  readonly manager: string;
  readonly force?: true;
}

export const managerRemove = command<Input>({
  name: 'remove',
  summary: 'take a manager and its etcd member out of the cluster, or one that died off the list',
  description:
    'The manager, if it runs, ends by itself; to come back it needs an empty data directory and --join. ' +
    'One that supervises no etcd member (--etcd URL) has to be stopped first. ' +
    'Refused (exit 4) when the etcd members that stay would be too few for a majority.',
  arguments: [new Argument('<manager>', 'its name; of an etcd member that never started: its id')],
  options: [
    new Option(
      '--force',
      'even if the members that stay seem too few: for members that are well but cannot be asked; etcd still refuses a removal that is certain to stop it',
    ),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: () => 'causeway manager list',
  examples: ['causeway manager remove m3'],
  async run({ input: { manager: name, force }, clients, context }) {
    const requestId = randomUuid(context.random);
    await clients.managers.removeManager({ requestId, name, force: force ?? false });
    return { value: { name }, names: [name], table: { kind: 'line', text: `manager ${name} removed` } };
  },
});
