import { type Enrolled, enroll, type Knock } from '@causeway/enrollment';
import type { JoinToken, PrivateKey } from '@causeway/identity';
import { CausewayError, type Ip, parseIp } from '@causeway/model';
import { Argument, Option } from 'commander';
import type { Answer } from '../answer.ts';
import { type CommandBuilder, command } from '../command.ts';
import type { Context } from '../context.ts';
import { parseVariables } from '../host-settings.ts';
import { parseAbsolutePath, parseAs } from '../parse.ts';
import { parseManagers } from '../settings.ts';
import { readToken, type TokenInput, tokenHelp, tokenOptions } from './join-token.ts';
import { caProgramExample, checkWritable, commandOf, type Member, memberOf, settingsOf } from './members.ts';
import type { Service, ThisHost } from './this-host.ts';

export interface JoinParts {
  /** The host whose settings and data are below this directory. */
  readonly hostAt: (root: string) => ThisHost;
  readonly knock: Knock;
  readonly createKey: () => PrivateKey;
}

interface Input extends TokenInput {
  readonly address: readonly string[];
  readonly name?: string;
  readonly dataPath?: Ip;
  readonly advertise?: string;
  readonly listen?: string;
  readonly caProgram?: string;
  readonly dataDir?: string;
  readonly root: string;
}

export const rootOption = (): Option =>
  new Option('--root <dir>', 'keep settings and data below this directory, and start no service')
    .argParser(parseAbsolutePath('--root', '/mnt/host'))
    .default('/');

export function joinCommand(parts: JoinParts): CommandBuilder {
  return command<Input>({
    name: 'join',
    summary: 'make this host a member of a cluster: with an agent or a manager, as the token says',
    description:
      'Verifies the manager by the fingerprint in the token before it sends anything, gets a certificate for this host, writes the\n' +
      'settings of the service to /etc/causeway, and starts the service; without systemd it prints the command that does. May be\n' +
      `repeated: the token is used once. Exit 1 if the host was removed since: then "causeway leave" comes first.\n${tokenHelp}`,
    arguments: [
      new Argument('<address>', 'managers as HOST[:7443],…; one is enough').argParser((text) =>
        parseManagers(text, 'address'),
      ),
    ],
    options: [
      ...tokenOptions(),
      new Option('--name <name>', 'name of this host or manager in the cluster; when absent, the host name'),
      new Option(
        '--data-path <ip>',
        'agent: address of this host for VXLAN; when absent, the one towards the manager',
      ).argParser(parseAs('--data-path', parseIp)),
      new Option(
        '--advertise <ip[:port]>',
        'agent: address at which other hosts reach --data-path, if a NAT is before this host; and the UDP port that the NAT forwards to 4500',
      ),
      new Option('--listen <ip[:port]>', 'manager: address to serve at; when absent, the one towards the manager'),
      new Option('--ca-program <path>', 'manager: program that issues certificates, if the cluster has one').argParser(
        parseAbsolutePath('--ca-program', caProgramExample),
      ),
      new Option('--data-dir <dir>', 'data directory of the service; when absent, as in its settings').argParser(
        parseAbsolutePath('--data-dir', '/var/lib/causeway/agent'),
      ),
      rootOption(),
    ],
    uses: ['output'],
    examples: [
      'causeway join 10.0.0.1 --token CWAY1-agent-…',
      'causeway join 10.0.0.1,10.0.0.2 --token-file /run/token --name h7 --data-path 192.0.2.7',
      'ssh m1 causeway node token create --role agent -q | causeway join 10.0.0.1 --token -',
    ],
    progress: 'joining the cluster',
    run: ({ input, context }) => join(parts, input, context),
  });
}

async function join(parts: JoinParts, input: Input, context: Context): Promise<Answer> {
  const host = parts.hostAt(input.root);
  const token = await readToken(host, input);
  const service = serviceOf(token);
  checkWritable(host);
  const member = await memberOf(host, service, input, input.address[0]);
  const { name, address } = member;
  const hosts = service === 'manager' ? ['127.0.0.1', 'localhost', address] : [];
  const notes: string[] = [];
  const { clock, random, signal } = context;
  const home = host.home(service, member.dataDir);
  const onRemark = (remark: string): void => void notes.push(remark);
  const all = { knock: parts.knock, home, createKey: parts.createKey, clock, random, onRemark };
  const enrolled = await enroll(all, { token, addresses: input.address, name, hosts }, signal);
  if (enrolled.wasMember) checkName(member);
  await host.writeSettings(service, settingsOf(member, enrolled.membership.managers));
  const isStarted = await host.start(service, !enrolled.wasMember);
  return { ...joinAnswer(member, enrolled, isStarted ? undefined : commandOf(host, service)), notes };
}

/** A repeated join gives no other name: the cluster knows this host by the first one. @throws CausewayError name-taken */
function checkName({ service, name, text }: Member): void {
  const before = parseVariables(text)['CAUSEWAY_NAME'];
  if (before === undefined || before === name) return;
  const message = `this host has joined as ${service} "${before}": leave out --name; for another name run "causeway leave" first, and join with a new token`;
  throw new CausewayError('name-taken', message, { field: '--name', value: name });
}

function serviceOf({ role }: JoinToken): Service {
  if (role !== 'operator') return role;
  const message =
    'this token makes an operator, not a host of the cluster: run "causeway context add NAME --managers ADDRESS --token …"';
  throw new CausewayError('role-mismatch', message, { role });
}

function joinAnswer(member: Member, { membership, wasMember }: Enrolled, command: string | undefined): Answer {
  const { service, name } = member;
  const { cluster, id } = membership.name;
  const what = service === 'agent' ? `host ${name} (${id})` : `manager ${name}`;
  const done = wasMember ? 'is a member of the cluster already' : 'has joined the cluster';
  const next =
    command === undefined ? [`causeway-${service} is started`] : ['start its service:', '', `    ${command}`, ''];
  return {
    value: {
      cluster,
      role: service,
      id,
      name,
      managers: membership.managers,
      started: command === undefined,
      command: command ?? null,
    },
    names: [name],
    table: { kind: 'line', text: [`${what} ${done} ${cluster}`, ...next] },
  };
}
