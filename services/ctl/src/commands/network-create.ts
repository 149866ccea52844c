import { type Labels, type Name, type Prefix, parsePrefix, parseVni, type Vni } from '@causeway/model';
import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { addressSpaces } from '../completion/sources.ts';
import { completed, fixed } from '../completion/values.ts';
import { parseAs, parseEach, parseInteger, parseLabel, parseNameOf } from '../parse.ts';
import { networkAnswer } from '../render/network.ts';
import { dryRunNotes, dryRunOption, forceOption } from './network-options.ts';
import { type AuxAddress, type GatewayOption, parseAuxAddress, parseGateway, planSubnets } from './network-subnets.ts';
import { present } from './present.ts';

interface Input {
  readonly name: Name;
  readonly subnet: readonly Prefix[];
  readonly gateway: readonly GatewayOption[];
  readonly ipRange: readonly Prefix[];
  readonly auxAddress: readonly AuxAddress[];
  readonly internal?: boolean;
  readonly encrypt?: boolean;
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly driver: string;
  readonly vni?: Vni;
  readonly mtu?: number;
  readonly label: Labels;
  readonly addressSpace: Name;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

const wholeNumber = parseInteger('--vni', 0);

export const networkCreate = command<Input>({
  name: 'create',
  summary: 'create a network',
  description:
    'A gateway, range or auxiliary address belongs to the subnet that contains it. Without --gateway, the gateway of a subnet is its first address.',
  arguments: [new Argument('<name>', 'name of the network').argParser(parseNameOf('name'))],
  options: [
    new Option('--subnet <prefix>', 'IPv4 or IPv6 prefix of the network; repeat for several')
      .argParser(parseEach('--subnet', parsePrefix))
      .default([], 'from the default pools'),
    new Option('--gateway <ip>', 'gateway of the subnet it lies in, or "none" for subnets without; repeat for several')
      .argParser(parseEach('--gateway', parseGateway))
      .default([], 'first address of each subnet'),
    new Option('--ip-range <prefix>', 'take automatic addresses from this part of its subnet; repeat for several')
      .argParser(parseEach('--ip-range', parsePrefix))
      .default([], 'the whole subnet'),
    new Option(
      '--aux-address <name=ip>',
      'never allocate this address, because something else uses it; repeat for several',
    )
      .argParser(parseAuxAddress)
      .default([], 'none'),
    new Option('--ipv4', 'without --subnet: one IPv4 subnet from the default pools'),
    new Option(
      '--ipv6',
      'without --subnet: one IPv6 subnet from the default pools; one of each family without --ipv4 and --ipv6',
    ),
    new Option('--internal', 'no gateways and no default routes: nothing leaves the network'),
    new Option('--encrypt', 'encrypt what travels between hosts: no frame leaves or enters a host in the clear'),
    completed(new Option('--driver <name>', 'how frames travel between hosts').default('overlay'), fixed(['overlay'])),
    new Option('--vni <number>', 'VXLAN network identifier; automatic when absent').argParser(
      parseAs('--vni', (text) => parseVni(wholeNumber(text))),
    ),
    new Option('--mtu <bytes>', 'MTU inside the overlay; when absent, it follows the underlays of the hosts').argParser(
      parseInteger('--mtu', 1),
    ),
    new Option('--label <key=value>', 'label of the network; repeat for several')
      .argParser(parseLabel)
      .default({}, 'none'),
    completed(
      new Option('--address-space <name>', 'subnets of one address space never overlap')
        .argParser(parseNameOf('--address-space'))
        .default('default'),
      addressSpaces,
    ),
    forceOption(),
    dryRunOption(),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ name, dryRun }) => (dryRun === true ? undefined : `causeway network show ${name}`),
  examples: [
    'causeway network create apps',
    'causeway network create blue --subnet 10.66.0.0/16 --subnet fd66::/64',
    'causeway network create red --subnet 10.67.0.0/24 --gateway 10.67.0.254 --mtu 1400 --label team=core',
    'causeway network create vault --encrypt',
    'causeway network create lab --subnet 10.68.0.0/24 --ip-range 10.68.0.128/25 --aux-address printer=10.68.0.9 --internal',
  ],
  async run({ input, clients, context }) {
    const { network } = await clients.managers.createNetwork({
      requestId: randomUuid(context.random),
      name: input.name,
      subnets: planSubnets({
        prefixes: input.subnet,
        gateways: input.gateway,
        ranges: input.ipRange,
        auxAddresses: input.auxAddress,
      }),
      addressSpace: input.addressSpace,
      vni: input.vni ?? 0,
      mtu: input.mtu ?? 0,
      labels: { ...input.label },
      driver: input.driver,
      internal: input.internal ?? false,
      ipv4: input.ipv4 ?? false,
      ipv6: input.ipv6 ?? false,
      noGateway: input.gateway.includes('none'),
      dryRun: input.dryRun ?? false,
      force: input.force ?? false,
      encrypt: input.encrypt ?? false,
    });
    return { ...networkAnswer(present(network, 'network'), context.clock.wall()), notes: dryRunNotes(input.dryRun) };
  },
});
