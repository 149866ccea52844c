import { type Ip, parseIp } from '@causeway/model';
import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { parseAs } from '../parse.ts';
import { reservationAnswer } from '../render/ipam.ts';
import { present } from './present.ts';

interface Input {
  readonly network: string;
  readonly address?: Ip;
  readonly for: string;
}

export const ipamReserve = command<Input>({
  name: 'reserve',
  summary: 'reserve an address of a network, so that no endpoint gets it',
  arguments: [
    new Argument('<network>', 'name or id'),
    new Argument('[address]', 'address to reserve; when absent, the next free address').argParser(
      parseAs('address', parseIp),
    ),
  ],
  options: [new Option('--for <text>', 'what it is for').makeOptionMandatory()],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ network }) => `causeway ipam show ${network} -o wide`,
  examples: [
    'causeway ipam reserve blue 10.66.0.9 --for "printer in room 4"',
    'causeway ipam reserve blue --for vpn -o name',
  ],
  async run({ input, clients, context }) {
    const requestId = randomUuid(context.random);
    const { network, address = '', for: purpose } = input;
    const { reservation } = await clients.managers.reserveAddress({ requestId, network, address, purpose });
    return reservationAnswer(present(reservation, 'reservation'), network);
  },
});
