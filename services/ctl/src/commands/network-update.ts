import {
  addressOf,
  CausewayError,
  contains,
  type Labels,
  type Name,
  ok,
  type Prefix,
  parsePrefix,
} from '@causeway/model';
import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';
import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { labelsOfNetwork, subnetsOfNetwork } from '../completion/sources.ts';
import { completed, fixed } from '../completion/values.ts';
import { parseEach, parseInteger, parseLabel, parseNameOf } from '../parse.ts';
import { networkAnswer } from '../render/network.ts';
import { differenceAnswer } from '../render/network-difference.ts';
import { dryRunNotes, dryRunOption, forceOption, ifRevisionOption } from './network-options.ts';
import { type AuxAddress, type GatewayOption, parseAuxAddress, parseGateway, planSubnets } from './network-subnets.ts';
import { orCurrent } from './or-current.ts';
import { present } from './present.ts';
import { type Changed, waitEncrypted } from './wait-encrypted.ts';

interface Input {
  readonly network: string;
  readonly rename?: Name;
  readonly label: Labels;
  readonly removeLabel: readonly string[];
  readonly addSubnet: readonly Prefix[];
  readonly removeSubnet: readonly Prefix[];
  readonly gateway: readonly GatewayOption[];
  readonly auxAddress: readonly AuxAddress[];
  readonly addRange: readonly Prefix[];
  readonly mtu?: number | 'auto';
  /** undefined: as it is. */
  readonly encrypt?: boolean;
  readonly ifRevision?: bigint;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

const wholeNumber = parseInteger('--mtu', 1);

export const networkUpdate = command<Input>({
  name: 'update',
  summary: 'change a network while it is in use',
  description:
    'All changes of one command are made at once, or none. --dry-run prints what would change. A subnet is removed only when no endpoint\n' +
    'has an address in it. --encrypt and --no-encrypt are done when all hosts of the network have changed, those without a session, too.\n' +
    'Until --encrypt is done, frames travel in the clear or encrypted. After --timeout: exit 5, and the change goes on; the error says\n' +
    'for whom it waits, as the condition Settled of the network does.',
  arguments: [new Argument('<network>', 'name or id')],
  options: [
    new Option('--rename <name>', 'another name').argParser(parseNameOf('--rename')),
    new Option('--label <key=value>', 'set a label; repeat for several').argParser(parseLabel).default({}, 'none'),
    completed(
      new Option('--remove-label <key>', 'remove a label; repeat for several')
        .argParser(parseEach('--remove-label', ok))
        .default([], 'none'),
      labelsOfNetwork,
    ),
    new Option('--add-subnet <prefix>', 'add a subnet; repeat for several')
      .argParser(parseEach('--add-subnet', parsePrefix))
      .default([], 'none'),
    new Option(
      '--gateway <ip>',
      'gateway of the added subnet it lies in, or "none" for those without; repeat for several',
    )
      .argParser(parseEach('--gateway', parseGateway))
      .default([], 'first address of each added subnet'),
    new Option('--aux-address <name=ip>', 'never allocate this address of an added subnet; repeat for several')
      .argParser(parseAuxAddress)
      .default([], 'none'),
    completed(
      new Option('--remove-subnet <prefix>', 'remove an empty subnet; repeat for several')
        .argParser(parseEach('--remove-subnet', parsePrefix))
        .default([], 'none'),
      subnetsOfNetwork,
    ),
    new Option('--add-range <prefix>', 'also take automatic addresses from this part of its subnet; repeat for several')
      .argParser(parseEach('--add-range', parsePrefix))
      .default([], 'none'),
    completed(
      new Option('--mtu <bytes>', 'MTU inside the overlay; "auto" follows the hosts\' underlays again').argParser(
        (text) => (text === 'auto' ? text : wholeNumber(text)),
      ),
      fixed(['auto']),
    ),
    new Option(
      '--encrypt',
      'encrypt what travels between hosts, step by step while packets flow; waits until it is done',
    ),
    new Option('--no-encrypt', 'do not encrypt any more; waits until it is done'),
    ifRevisionOption(),
    forceOption(),
    dryRunOption(),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ network, dryRun }) => (dryRun === true ? undefined : `causeway network show ${network}`),
  examples: [
    'causeway network update blue --add-subnet 10.67.0.0/24',
    'causeway network update blue --add-subnet 10.68.0.0/24 --gateway 10.68.0.254 --add-range 10.68.0.128/25',
    'causeway network update blue --encrypt --timeout 1m',
    'causeway network update blue --rename green --label team=core --remove-label tier --if-revision 42',
  ],
  async run({ input, settings, clients, context }) {
    checkChanges(input);
    const ofAdded = (range: Prefix): boolean => input.addSubnet.some((subnet) => contains(subnet, addressOf(range)));
    return orCurrent(clients.managers, input.network, context.clock.wall(), async () => {
      const before: { network?: Network } =
        input.dryRun === true ? await clients.managers.getNetwork({ network: input.network, atLeast: 0n }) : {};
      const { network } = await clients.managers.updateNetwork({
        requestId: randomUuid(context.random),
        network: input.network,
        ifRevision: input.ifRevision ?? 0n,
        name: input.rename ?? '',
        setLabels: { ...input.label },
        removeLabels: [...input.removeLabel],
        addSubnets: planSubnets(
          {
            prefixes: input.addSubnet,
            gateways: input.gateway,
            ranges: input.addRange.filter(ofAdded),
            auxAddresses: input.auxAddress,
          },
          '--add-subnet',
        ),
        removeSubnets: [...input.removeSubnet],
        addRanges: input.addRange.filter((range) => !ofAdded(range)),
        mtu: typeof input.mtu === 'number' ? input.mtu : 0,
        mtuAutomatic: input.mtu === 'auto',
        dryRun: input.dryRun ?? false,
        force: input.force ?? false,
        noGateway: input.gateway.includes('none'),
        encrypt: input.encrypt === true,
        noEncrypt: input.encrypt === false,
      });
      const written = present(network, 'network');
      const waits = input.encrypt !== undefined && input.dryRun !== true;
      const { network: after, ...outcome }: Changed = waits
        ? await waitEncrypted(clients.managers, written, context, settings.timeout)
        : { network: written };
      const answer = { ...networkAnswer(after, context.clock.wall()), notes: dryRunNotes(input.dryRun), ...outcome };
      return before.network === undefined ? answer : differenceAnswer(before.network, after, answer);
    });
  },
});

function checkChanges({ rename, label, mtu, encrypt, ...lists }: Input): void {
  const { removeLabel, addSubnet, removeSubnet, addRange } = lists;
  const some = [removeLabel, addSubnet, removeSubnet, addRange].some((list) => list.length > 0);
  const values = [rename, mtu, encrypt];
  if (some || values.some((value) => value !== undefined) || Object.keys(label).length > 0) return;
  throw new CausewayError(
    'invalid-argument',
    'nothing to change: name a change, such as --add-subnet 10.67.0.0/24',
    {},
  );
}
