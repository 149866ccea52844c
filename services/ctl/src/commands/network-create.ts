import {
  CausewayError,
  contains,
  type Ip,
  type Name,
  type Prefix,
  parseIp,
  parsePrefix,
  parseVni,
  type Vni,
} from '@causeway/model';
import type { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { type Labels, parseAs, parseEach, parseInteger, parseLabel, parseNameOf } from '../parse.ts';
import { networkAnswer } from '../render/network.ts';
import { present } from './present.ts';

interface Input {
  readonly name: Name;
  readonly subnet: readonly Prefix[];
  readonly gateway: readonly Ip[];
  readonly vni?: Vni;
  readonly mtu?: number;
  readonly label: Labels;
  readonly addressSpace: Name;
}

const wholeNumber = parseInteger('--vni', 0);

export const networkCreate = command<Input>({
  name: 'create',
  summary: 'create a network',
  description: 'A gateway belongs to the subnet that contains it; a subnet without one gets its first address.',
  arguments: [new Argument('<name>', 'name of the network').argParser(parseNameOf('name'))],
  options: [
    new Option('--subnet <prefix>', 'IPv4 or IPv6 prefix of the network; repeat for several')
      .argParser(parseEach('--subnet', parsePrefix))
      .default([], 'none')
      .makeOptionMandatory(),
    new Option('--gateway <ip>', 'gateway of the subnet it lies in; repeat for several')
      .argParser(parseEach('--gateway', parseIp))
      .default([], 'first address of each subnet'),
    new Option('--vni <number>', 'VXLAN network identifier; automatic when absent').argParser(
      parseAs('--vni', (text) => parseVni(wholeNumber(text))),
    ),
    new Option('--mtu <bytes>', "MTU inside the overlay; follows the hosts' underlays when absent").argParser(
      parseInteger('--mtu', 1),
    ),
    new Option('--label <key=value>', 'label of the network; repeat for several')
      .argParser(parseLabel)
      .default({}, 'none'),
    new Option('--address-space <name>', 'subnets of one address space never overlap')
      .argParser(parseNameOf('--address-space'))
      .default('default'),
  ],
  uses: ['managers', 'timeout', 'output'],
  examples: [
    'causeway network create blue --subnet 10.66.0.0/16 --subnet fd66::/64',
    'causeway network create red --subnet 10.67.0.0/24 --gateway 10.67.0.254 --mtu 1400 --label team=core',
  ],
  async run({ input, clients, context }) {
    const { network } = await clients.managers.createNetwork({
      requestId: randomUuid(context.random),
      name: input.name,
      subnets: planSubnets(input.subnet, input.gateway),
      addressSpace: input.addressSpace,
      vni: input.vni ?? 0,
      mtu: input.mtu ?? 0,
      labels: { ...input.label },
    });
    return networkAnswer(present(network, 'network'));
  },
});

/** Gives each gateway to its subnet. */
export function planSubnets(prefixes: readonly Prefix[], gateways: readonly Ip[]): Subnet[] {
  if (prefixes.length === 0) {
    throw new CausewayError('invalid-argument', '--subnet: a network has at least one, such as 10.66.0.0/16', {
      field: '--subnet',
    });
  }
  for (const gateway of gateways) {
    if (prefixes.some((prefix) => contains(prefix, gateway))) continue;
    const message = `--gateway: ${gateway} lies in none of the subnets ${prefixes.join(', ')}`;
    throw new CausewayError('gateway-outside', message, { field: '--gateway', value: gateway });
  }
  return prefixes.map((prefix) => {
    const [gateway, second] = gateways.filter((candidate) => contains(prefix, candidate));
    if (second === undefined) return { prefix, gateway: gateway ?? '', ranges: [], auxAddresses: {} };
    const message = `--gateway: ${gateway} and ${second} both lie in ${prefix}, which can have one`;
    throw new CausewayError('invalid-argument', message, { field: '--gateway', value: second });
  });
}
