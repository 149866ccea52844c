import { type Ip, type Labels, type Name, parseIp } from '@causeway/model';
import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command } from '../command.ts';
import { parseAbsolutePath, parseEach, parseLabel, parseNameOf, parseWhole } from '../parse.ts';
import { endpointAnswer } from '../render/endpoint.ts';
import { present } from './present.ts';
import { lookAgain, waitApplied } from './wait-applied.ts';

interface Input {
  readonly network: string;
  readonly name: Name;
  readonly netns: string;
  readonly ifname: string;
  readonly ip: readonly Ip[];
  readonly label: Labels;
  readonly gatewayPriority: number;
  readonly wait?: 'applied';
}

export const endpointAttach = command<Input>({
  name: 'attach',
  summary: 'attach a network namespace of this host to a network',
  description:
    'The command returns when this host has programmed the endpoint; with --wait applied, when every ready host of the network has.\n' +
    'If that takes longer than --timeout, the endpoint stays attached and is printed, and the exit code is 5. A second call with the\n' +
    'same values prints the existing endpoint and notes "already attached". Without a manager address the command does not know\n' +
    'how many hosts have applied the endpoint: "applied" is null.',
  arguments: [new Argument('<network>', 'name or id')],
  options: [
    new Option('--name <name>', 'name of the endpoint, unique in its network')
      .argParser(parseNameOf('--name'))
      .makeOptionMandatory(),
    new Option('--netns <path>', 'network namespace: /run/netns/web, /proc/4711/ns/net')
      .argParser(parseAbsolutePath('--netns', '/run/netns/web'))
      .makeOptionMandatory(),
    new Option('--ifname <name>', 'name of the interface inside').default('eth0'),
    new Option('--ip <address>', 'requested address, at most one of each family')
      .argParser(parseEach('--ip', parseIp))
      .default([], 'next free'),
    new Option('--label <key=value>', 'label of the endpoint; repeat for several')
      .argParser(parseLabel)
      .default({}, 'none'),
    new Option(
      '--gateway-priority <number>',
      'the default route uses the interface with the highest priority, the oldest of several with the same; -50 to 50',
    )
      .argParser(parseWhole('--gateway-priority', -50, 50))
      .default(0),
    new Option('--wait <state>', 'also wait for the other hosts').choices(['applied']),
  ],
  uses: ['managers', 'socket', 'timeout', 'output'],
  needsMajority: true,
  seenBy: ({ network, name }) => `causeway endpoint show ${network}/${name}`,
  progress: 'waiting for the agent',
  examples: [
    'causeway endpoint attach blue --name web --netns /run/netns/web',
    'causeway endpoint attach blue --name db --netns /proc/4711/ns/net --ip 10.66.0.9 --wait applied --timeout 5s -o json',
  ],
  async run({ input, settings, clients, context }) {
    // Managers are looked up before anything is attached: without a manager address, a wait could only fail.
    const managers = input.wait === undefined && settings.managers.length === 0 ? undefined : clients.managers;
    const response = await clients.agent.attach({
      requestId: randomUuid(context.random),
      network: input.network,
      name: input.name,
      netns: input.netns,
      ifname: input.ifname,
      addresses: [...input.ip],
      labels: { ...input.label },
      gatewayPriority: input.gatewayPriority,
    });
    const attached = present(response.endpoint, 'endpoint');
    const now = context.clock.wall();
    const notes = response.alreadyAttached ? [`endpoint ${attached.name} was already attached`] : [];
    if (managers === undefined) return { ...endpointAnswer(attached, 'brief', now), notes };
    // An agent knows only its own host. The managers count the other hosts.
    if (input.wait === undefined)
      return { ...endpointAnswer(await lookAgain(managers, attached), 'brief', now), notes };
    const { endpoint, ...outcome } = await waitApplied(managers, attached, settings.timeout);
    return { ...endpointAnswer(endpoint, 'brief', now), ...outcome, notes };
  },
});
