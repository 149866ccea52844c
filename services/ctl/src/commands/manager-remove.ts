import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';

interface Input {
  readonly manager: string;
  readonly force?: true;
}

export const managerRemove = command<Input>({
  name: 'remove',
  summary: 'remove a manager and its etcd member from the cluster, or a dead manager from the list',
  description:
    'If the manager runs, it ends by itself. To join again it needs an empty data directory and --join. A manager with an etcd of\n' +
    'your own (--etcd URL) must be stopped first. Refused (exit 4) when too few healthy etcd members would remain for a majority.',
  arguments: [new Argument('<manager>', 'name of the manager, or id of an etcd member that never started')],
  options: [
    new Option(
      '--force',
      'also if too few healthy members seem to remain: for members that are healthy but do not answer; etcd still refuses a removal that would certainly stop it',
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
