import { type Ip, parseIp } from '@causeway/model';
import { randomUuid } from '@causeway/runtime';
import { Argument } from 'commander';
import { command } from '../command.ts';
import { reservations } from '../completion/sources.ts';
import { completed } from '../completion/values.ts';
import { parseAs } from '../parse.ts';
import { removalAnswer } from '../render/removal.ts';

interface Input {
  readonly network: string;
  readonly address: Ip;
}

export const ipamRelease = command<Input>({
  name: 'release',
  summary: 'release a reserved address',
  description: "Refused (exit 4) for an endpoint's address: detach the endpoint.",
  arguments: [
    new Argument('<network>', 'name or id'),
    completed(new Argument('<address>', 'a reserved address').argParser(parseAs('address', parseIp)), reservations),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ network }) => `causeway ipam show ${network} -o wide`,
  examples: ['causeway ipam release blue 10.66.0.9'],
  async run({ input: { network, address }, clients, context }) {
    const requestId = randomUuid(context.random);
    const { revision } = await clients.managers.releaseAddress({ requestId, network, address });
    return removalAnswer(address, revision, `address ${address} of network ${network} released, revision ${revision}`);
  },
});
