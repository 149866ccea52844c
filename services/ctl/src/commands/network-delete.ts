import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { removalAnswer } from '../render/removal.ts';
import { dryRunNotes, dryRunOption, ifRevisionOption } from './network-options.ts';
import { orCurrent } from './or-current.ts';

interface Input {
  readonly network: string;
  readonly force?: boolean;
  readonly ifRevision?: bigint;
  readonly dryRun?: boolean;
}

export const networkDelete = command<Input>({
  name: 'delete',
  summary: 'delete a network',
  description: 'Refused (exit 4) while the network has endpoints or reservations; the error names them.',
  arguments: [new Argument('<network>', 'name or id')],
  options: [
    new Option('--force', 'first detach its endpoints on all hosts, and release its reservations'),
    ifRevisionOption(),
    dryRunOption(),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ network, dryRun }) => (dryRun === true ? undefined : `causeway network show ${network}`),
  examples: ['causeway network delete blue', 'causeway network delete blue --force --dry-run'],
  async run({ input, clients, context }) {
    const { network } = input;
    return orCurrent(clients.managers, network, context.clock.wall(), async () => {
      const { revision } = await clients.managers.deleteNetwork({
        requestId: randomUuid(context.random),
        network,
        ifRevision: input.ifRevision ?? 0n,
        force: input.force ?? false,
        dryRun: input.dryRun ?? false,
      });
      const done = input.dryRun === true ? 'would be deleted' : `deleted, revision ${revision}`;
      return { ...removalAnswer(network, revision, `network ${network} ${done}`), notes: dryRunNotes(input.dryRun) };
    });
  },
});
