import { isCausewayError } from '@causeway/model';
import { type Duration, formatDuration, milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { Option } from 'commander';
import type { Answer } from '../answer.ts';
import type { Managers } from '../clients.ts';
import { type CommandBuilder, command } from '../command.ts';
import type { Context } from '../context.ts';
import { type Contexts, inUse } from '../contexts/contexts.ts';
import { parseAbsolutePath, parseDurationOf, parseNameOf } from '../parse.ts';
import { joinLine } from '../render/token.ts';
import { rootOption } from './join.ts';
import { caProgramExample, checkWritable, commandOf, type Member, memberOf, settingsOf } from './members.ts';
import type { Founded, ThisHost } from './this-host.ts';

export interface InitParts {
  readonly hostAt: (root: string) => ThisHost;
  readonly contexts: Contexts;
}

interface Input {
  readonly name?: string;
  readonly listen?: string;
  readonly dataDir?: string;
  readonly operator: string;
  readonly certificateLife?: Duration;
  readonly caCert?: string;
  readonly caKey?: string;
  readonly caProgram?: string;
  readonly autolock?: true;
  readonly root: string;
}

/** A manager founds its cluster within seconds of its start. Without systemd it may have been started by hand before. */
const patience = { started: seconds(60), byHand: seconds(3) };
const pause = milliseconds(500);

export function initCommand(parts: InitParts): CommandBuilder {
  return command<Input>({
    name: 'init',
    summary: 'found a cluster, with its first manager on this host',
    description:
      'Makes the CA of the cluster, the certificate of the manager, and the credential of the first operator, which goes to\n' +
      '~/.config/causeway; writes the settings of the manager to /etc/causeway, and starts the manager; without systemd it prints the\n' +
      'command that does. Once the manager answers, it prints the lines that add a host and a manager. May be repeated: it founds one\n' +
      'cluster, and prints new lines.',
    options: [
      new Option('--name <name>', 'name of the manager; when absent, the host name').argParser(parseNameOf('--name')),
      new Option(
        '--listen <ip[:port]>',
        'address at which hosts and managers reach the manager; when absent, that of the default route',
      ),
      new Option('--data-dir <dir>', 'data directory of the manager; when absent, as in its settings').argParser(
        parseAbsolutePath('--data-dir', '/var/lib/causeway/manager'),
      ),
      new Option('--operator <name>', 'name of the first operator')
        .default('admin')
        .argParser(parseNameOf('--operator')),
      new Option(
        '--certificate-life <duration>',
        'how long certificates of hosts, managers and operators are valid: 1h to 2160h; when absent, 720h',
      ).argParser(parseDurationOf('--certificate-life', '720h')),
      new Option('--ca-cert <path>', 'root CA certificate of your own, in PEM; when absent, a new CA is made'),
      new Option('--ca-key <path>', 'private key of --ca-cert, in PEM, of mode 600'),
      new Option(
        '--ca-program <path>',
        'program that issues certificates of --ca-cert, in the place of --ca-key; see docs/external-ca.md',
      ).argParser(parseAbsolutePath('--ca-program', caProgramExample)),
      new Option(
        '--autolock',
        'print an unlock key, which each manager needs after its start before it can issue certificates: see "causeway ca autolock"',
      ),
      rootOption(),
    ],
    uses: ['output'],
    examples: ['causeway init', 'causeway init --name m1 --listen 10.0.0.1'],
    progress: 'waiting for the manager',
    run: ({ input, context }) => init(parts, input, context),
  });
}

async function init({ hostAt, contexts }: InitParts, input: Input, context: Context): Promise<Answer> {
  const host = hostAt(input.root);
  checkWritable(host);
  const member = await memberOf(host, 'manager', input);
  const founded = await host.foundCluster(wordsFor(member, input));
  await host.writeSettings('manager', settingsOf(member, []));
  await keepContext(contexts, founded, member.listen);
  const isStarted = await host.start('manager', false);
  const asked = { isStarted, isAutolock: input.autolock === true };
  const secrets = await secretsOf(member, founded, asked, context);
  return initAnswer(member, founded, {
    ...asked,
    secrets,
    command: isStarted ? undefined : commandOf(host, 'manager'),
  });
}

function wordsFor(
  { name, dataDir, listen, address }: Member,
  { operator, certificateLife, caCert, caKey, caProgram }: Input,
): readonly string[] {
  return [
    ...[
      '--data-dir',
      dataDir,
      '--name',
      name,
      '--listen',
      listen,
      '--etcd-peer-address',
      address,
      '--operator',
      operator,
    ],
    ...(certificateLife === undefined ? [] : ['--certificate-life', formatDuration(certificateLife)]),
    ...(caCert === undefined ? [] : ['--ca-cert', caCert]),
    ...(caKey === undefined ? [] : ['--ca-key', caKey]),
    ...(caProgram === undefined ? [] : ['--ca-program', caProgram]),
  ];
}

/** The operator's credential is there already. Which context is in use, does not change. */
async function keepContext(contexts: Contexts, { operatorDirectory }: Founded, manager: string): Promise<void> {
  const name = operatorDirectory.split('/').at(-1) ?? '';
  const home = contexts.home(name);
  const { managers = [] } = (await home.read()) ?? {};
  // The context may know of managers that joined since.
  if (!managers.includes(manager)) await home.keepManagers([manager, ...managers]);
  if (inUse(await contexts.all(), await contexts.chosen()) === undefined) await contexts.use(name);
}

/** What the manager gives once it answers. */
interface Secrets {
  readonly tokens: { readonly agent: string; readonly manager: string };
  readonly unlockKey?: string;
}

/** Undefined: the manager does not answer, and need not yet. @throws CausewayError when a manager that was started does not answer */
async function secretsOf(
  { listen }: Member,
  { operatorDirectory }: Founded,
  { isStarted, isAutolock }: { readonly isStarted: boolean; readonly isAutolock: boolean },
  context: Context,
): Promise<Secrets | undefined> {
  const timeout = isStarted ? patience.started : patience.byHand;
  const settings = { managers: [listen], context: operatorDirectory, socket: '', timeout };
  const clients = context.connect(settings, context.signal);
  try {
    const agent = await tokenFor('agent', clients.managers, context, timeout);
    const manager = await tokenFor('manager', clients.managers, context, timeout);
    if (!isAutolock) return { tokens: { agent, manager } };
    const requestId = randomUuid(context.random);
    const { unlockKey } = await clients.managers.setAutolock({ requestId, enabled: true });
    return { tokens: { agent, manager }, unlockKey };
  } catch (error) {
    if (!isStarted && isCausewayError(error) && error.kind === 'unavailable') return undefined;
    throw error;
  } finally {
    clients.close();
  }
}

/** Tries again while the manager starts and elects itself. */
async function tokenFor(
  role: string,
  managers: Managers,
  { clock, random, signal }: Context,
  timeout: number,
): Promise<string> {
  const requestId = randomUuid(random);
  const end = clock.now() + timeout;
  for (;;) {
    try {
      return (await managers.createToken({ requestId, role, uses: 0, ttlMs: 0n, name: '' })).secret;
    } catch (error) {
      if (!isCausewayError(error) || error.kind !== 'unavailable' || clock.now() >= end) throw error;
      await clock.sleep(pause, signal);
    }
  }
}

interface Outcome {
  readonly isAutolock: boolean;
  readonly secrets: Secrets | undefined;
  readonly command: string | undefined;
}

function initAnswer({ name, listen }: Member, founded: Founded, { isAutolock, secrets, command }: Outcome): Answer {
  const { clusterId, caFingerprint, operatorDirectory } = founded;
  const tokens = secrets?.tokens;
  const unlockKey = secrets?.unlockKey;
  const start = tokens === undefined ? command : undefined;
  const value = {
    ...{ cluster: clusterId, manager: name, address: listen, caFingerprint, context: operatorDirectory },
    ...{ started: start === undefined, command: start ?? null },
    tokens: tokens === undefined ? null : { ...tokens },
    ...(isAutolock && { unlockKey: unlockKey ?? null }),
  };
  const later = isAutolock
    ? 'Then run this command again: it turns autolock on, and prints the unlock key and the lines that add hosts.'
    : 'Then "causeway node token create --role agent" prints the line that adds a host.';
  const lines =
    tokens === undefined
      ? ['', later]
      : [
          ...[
            '',
            'To add a host to the cluster, run there as root:',
            '',
            `    ${joinLine('agent', [listen], tokens.agent)}`,
          ],
          ...['', 'To add a manager:', '', `    ${joinLine('manager', [listen], tokens.manager)}`, ''],
          'Each token may be used once, within an hour. "causeway node token create" makes more.',
        ];
  const text = [
    `cluster ${clusterId} is founded; its first manager is ${name} at ${listen}`,
    `fingerprint of the CA: ${caFingerprint}`,
    `credential of the operator: ${operatorDirectory}`,
    ...(start === undefined ? [] : ['', 'Start the manager:', '', `    ${start}`]),
    ...(unlockKey === undefined
      ? []
      : [
          '',
          'Keep the unlock key apart from the managers; each needs it after its start (CAUSEWAY_UNLOCK_KEY=KEY causeway ca unlock):',
          '',
          `    ${unlockKey}`,
        ]),
    ...lines,
  ];
  return { value, names: [clusterId], table: { kind: 'line', text } };
}
