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
    'The manager, if it runs, ends by itself; to come back it needs an empty data directory and --join. ' +
    'One that supervises no etcd member (--etcd URL) has to be stopped first. ' +
    'Refused (exit 4) when the etcd members that stay would be too few for a majority.',
  arguments: [new Argument('<manager>', 'name of the manager, or id of an etcd member that never started')],
  options: [
    new Option(
      '--force',
      'even if too few healthy members seem to remain: for members that are healthy but do not answer; etcd still refuses a removal that would certainly stop it',
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
