import {
  etcdKinds,
  type LabSettings,
  type LabStatus,
  type Labs,
  type ProcessKind,
  type Progress,
  planLab,
  processKinds,
  type Signal,
  signals,
} from '@causeway/lab';
import { CausewayError, clip, isCausewayError, Prefix, parsePrefix } from '@causeway/model';
import { type Duration, parseDuration } from '@causeway/runtime';
import { Argument, Command, Option } from 'commander';
import type { Answer } from '../answer.ts';
import { type CommandBuilder, command, Verb } from '../command.ts';
import { parseAs, parseInteger } from '../parse.ts';
import { visible } from '../render/visible.ts';
import { cut, heal, slow } from './fault-commands.ts';
import { hostArgument, nameOption } from './options.ts';
import { labsAnswer, statusAnswer } from './render.ts';

const kindArgument = (): Argument => new Argument('<process>', 'process of the host').choices(processKinds);

interface ProcessInput {
  readonly name: string;
  readonly host: string;
  readonly process: ProcessKind;
}

/** `causeway lab`: whole clusters of namespaces on this machine. */
export function labCommand(labs: Labs): CommandBuilder {
  return (context) => {
    const lab = new Command('lab').summary('clusters on this machine, with namespaces as hosts');
    lab.description(`${lab.summary()}\n\nNeeds root and etcd. Labs with different names live side by side.`);
    // Options before the verb end at the verb, so that the options of a command run by `exec` stay with that command.
    lab.enablePositionalOptions();
    for (const verb of [up, list, status, exec, kill, start, wipe, cut, heal, slow, down])
      lab.addCommand(verb(labs)(context));
    lab.addCommand(
      new Command('enroll').action(() => labs.enroll()),
      { hidden: true },
    );
    return lab;
  };
}

function up(labs: Labs): CommandBuilder {
  return command<LabSettings>({
    name: 'up',
    summary: 'make a lab, ready for use',
    description:
      'Returns when every agent has a session with a manager. If the lab cannot be made, everything of it is removed.',
    options: [
      nameOption(labs),
      new Option('--hosts <count>', 'hosts h1, h2, …').default(3).argParser(parseInteger('--hosts', 1)),
      new Option('--managers <count>', 'number of hosts, from h1 on, that have a manager and an etcd member')
        .default(1)
        .argParser(parseInteger('--managers', 1)),
      new Option('--etcd <how>', 'etcd members as processes of their own, or embedded in their managers')
        .choices(etcdKinds)
        .default('separate'),
      new Option('--mtu <bytes>', 'MTU of the underlay').default(1500).argParser(parseInteger('--mtu', 1)),
      new Option('--subnet <prefix>', 'underlay prefix; host N has its Nth address')
        .default(Prefix('10.90.0.0/16'))
        .argParser(parseAs('--subnet', parsePrefix)),
      new Option(
        '--cooldown <duration>',
        'cooldown of the managers: how long a freed address or VNI waits for hosts without a session',
      ).argParser(parseCooldown),
    ],
    uses: ['output'],
    examples: [
      'causeway lab up --hosts 5 --managers 3',
      'causeway lab up --managers 3 --etcd embedded',
      'causeway lab up --name wide --mtu 9000 --subnet fd90::/64',
    ],
    progress: 'making the lab',
    async run({ input, context }) {
      const report: Progress = (message) => {
        context.stderr.write(
          `${context.stderr.isTty ? '\r\u001b[K' : ''}${visible(`lab ${input.name}: ${message}`)}\n`,
        );
      };
      const lab = await labs.up(planLab(input), report, context.signal);
      return statusAnswer(await lab.status());
    },
  });
}

function parseCooldown(text: string): Duration {
  const cooldown = parseDuration(text);
  if (cooldown !== undefined) return cooldown;
  throw new CausewayError('invalid-argument', `--cooldown: "${clip(text)}" is not a duration such as 5s`, {
    field: '--cooldown',
    value: clip(text),
  });
}

function list(labs: Labs): CommandBuilder {
  return command<object>({
    name: 'list',
    summary: 'list the labs of this machine',
    uses: ['output'],
    progress: 'asking the agents',
    async run() {
      const all = await Promise.all((await labs.names()).map(async (name) => ({ name, lab: await whole(labs, name) })));
      return labsAnswer(all);
    },
  });
}

/** undefined: the lab is being made or removed, or the process that did so was killed. */
async function whole(labs: Labs, name: string): Promise<LabStatus | undefined> {
  try {
    return await (await labs.open(name)).status();
  } catch (error) {
    if (isCausewayError(error)) return undefined;
    throw error;
  }
}

function status(labs: Labs): CommandBuilder {
  return command<{ readonly name: string }>({
    name: 'status',
    summary: 'show the hosts of a lab and their processes',
    options: [nameOption(labs)],
    uses: ['output'],
    progress: 'asking the agents',
    run: async ({ input }) => statusAnswer(await (await labs.open(input.name)).status()),
  });
}

/** Its exit status is that of the command, and only the command prints. */
function exec(labs: Labs): CommandBuilder {
  return (context) => {
    const summary = 'run a command on a host';
    return new Verb('exec', ['causeway lab exec h2 -- causeway status', 'causeway lab exec switch -- tcpdump -ni br0'])
      .summary(summary)
      .description(`${summary}

The programs of Causeway are on PATH there, and find the managers by themselves. "switch" is the underlay.`)
      .addOption(nameOption(labs))
      .addArgument(hostArgument(labs))
      .addArgument(new Argument('<command...>', 'command with its arguments, after --'))
      .passThroughOptions()
      .action(async (host: string, words: string[], { name }: { name: string }) => {
        // The options of `exec` end at the host, so commander takes a "--" after the host for a word of the command.
        const lab = await labs.open(name);
        context.exitCode = await lab.exec(host, words[0] === '--' ? words.slice(1) : words);
      });
  };
}

function kill(labs: Labs): CommandBuilder {
  return command<ProcessInput & { readonly signal: Signal }>({
    name: 'kill',
    summary: 'send a signal to a process of a host',
    description:
      'A killed process stays down until "lab start". KILL, STOP and CONT of a manager also go to its embedded etcd, as if the host failed.',
    arguments: [hostArgument(labs), kindArgument()],
    options: [nameOption(labs), new Option('--signal <name>', 'signal to send').choices(signals).default('KILL')],
    uses: ['output'],
    examples: ['causeway lab kill h2 agent', 'causeway lab kill h1 manager --signal TERM'],
    progress: 'waiting for the process to end',
    async run({ input }) {
      const lab = await labs.open(input.name);
      await lab.kill(input.host, input.process, input.signal);
      return line(input, `sent SIG${input.signal} to the ${input.process} of ${input.host}`);
    },
  });
}

function start(labs: Labs): CommandBuilder {
  return command<ProcessInput>({
    name: 'start',
    summary: 'start a process of a host that was killed',
    arguments: [hostArgument(labs), kindArgument()],
    options: [nameOption(labs)],
    uses: ['output'],
    examples: ['causeway lab start h2 agent'],
    async run({ input }) {
      const lab = await labs.open(input.name);
      await lab.startProcess(input.host, input.process);
      return line(input, `started the ${input.process} of ${input.host}`);
    },
  });
}

function wipe(labs: Labs): CommandBuilder {
  return command<ProcessInput>({
    name: 'wipe',
    summary: 'kill a process of a host and delete its data',
    description:
      'The data of a manager include those of its embedded etcd. After "lab start" such a manager joins the cluster as a new etcd member, if a majority of the other members is healthy.',
    arguments: [hostArgument(labs), kindArgument()],
    options: [nameOption(labs)],
    uses: ['output'],
    examples: ['causeway lab wipe h3 manager'],
    progress: 'waiting for the process to end',
    async run({ input }) {
      const lab = await labs.open(input.name);
      await lab.wipe(input.host, input.process);
      return line(input, `${input.process} of ${input.host} was killed, and its data are deleted`);
    },
  });
}

function down(labs: Labs): CommandBuilder {
  return command<{ readonly name: string; readonly all?: true }>({
    name: 'down',
    summary: 'remove a lab with its hosts and data',
    options: [nameOption(labs), new Option('--all', 'every lab of this machine').conflicts('name')],
    uses: ['output'],
    progress: 'removing the lab',
    async run({ input }) {
      const names = input.all === true ? await labs.names() : [input.name];
      for (const name of names) await labs.down(name);
      const text = names.length === 0 ? 'there is no lab' : names.map((name) => `lab ${name} is removed`);
      return { value: { removed: names }, names, table: { kind: 'line', text } };
    },
  });
}

function line(value: ProcessInput, text: string): Answer {
  return { value, names: [value.host], table: { kind: 'line', text } };
}
