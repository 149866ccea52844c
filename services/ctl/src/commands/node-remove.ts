import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { removalAnswer } from '../render/removal.ts';

interface Input {
  readonly node: string;
  readonly force?: true;
}

export const nodeRemove = command<Input>({
  name: 'remove',
  summary: 'remove a host from the cluster, also a dead host',
  description:
    'Refused (exit 4) while the host is connected or has endpoints; the error says which. With --force its endpoints are released\n' +
    'first: a connected host removes their interfaces, a dead host cannot. All managers refuse the host from then on, and its agent\n' +
    'does not try again. To join again it must be reset, and then it is a new host, also under the same name.',
  arguments: [new Argument('<node>', 'name or id')],
  options: [new Option('--force', 'also if the host is connected or has endpoints: for hosts that are gone for good')],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: () => 'causeway node list',
  progress: 'waiting for the host',
  examples: ['causeway node remove h3', 'causeway node remove h3 --force'],
  async run({ input: { node, force }, clients, context }) {
    const request = { requestId: randomUuid(context.random), node, force: force ?? false };
    const { revision, released, interfacesRemoved } = await clients.managers.removeNode(request);
    const endpoints = released === 0 ? '' : `, ${released === 1 ? '1 endpoint' : `${released} endpoints`} released`;
    const notes = interfacesRemoved
      ? []
      : [
          `host ${node} has not said that the interfaces are gone: if its containers still run, end them before others get their addresses`,
        ];
    const answer = removalAnswer(node, revision, `host ${node} removed${endpoints}, revision ${revision}`);
    return { ...answer, value: { name: node, revision, released, interfacesRemoved }, notes };
  },
});
