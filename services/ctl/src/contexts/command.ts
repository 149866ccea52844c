import { enroll, type Knock } from '@causeway/enrollment';
import type { PrivateKey } from '@causeway/identity';
import { CausewayError, type Name } from '@causeway/model';
import { Argument, Option } from 'commander';
import type { Answer } from '../answer.ts';
import { type CommandBuilder, command, group } from '../command.ts';
import { type SortInput, sortOption } from '../commands/list-options.ts';
import { completed, type Source } from '../completion/values.ts';
import type { Context } from '../context.ts';
import { readToken, type TokenInput, tokenHelp, tokenOptions } from '../joining/join-token.ts';
import type { ThisHost } from '../joining/this-host.ts';
import { parseNameOf } from '../parse.ts';
import { sorted } from '../render/sort.ts';
import { parseManagers } from '../settings.ts';
import { type Contexts, contextNamed, inUse, parseContextName, type StoredContext } from './contexts.ts';
import { contextAnswer, contextsAnswer } from './render.ts';

export interface ContextParts {
  readonly contexts: Contexts;
  readonly host: Pick<ThisHost, 'readToken'>;
  readonly knock: Knock;
  readonly createKey: () => PrivateKey;
  /** The name of this user, for the certificate. */
  readonly user: string;
}

interface Named {
  readonly name: string;
}

/** `causeway context` */
export function contextCommand(parts: ContextParts): CommandBuilder {
  const { contexts } = parts;
  const names: Source = async () => (await contexts.all()).map(({ name }) => ({ word: name, help: '' }));
  const nameArgument = (): Argument => completed(new Argument('<name>', 'name of the context'), names);
  const list = command<SortInput>({
    name: 'list',
    summary: 'list the clusters that this user is an operator of',
    description:
      'The context in use is marked with "*": the one that was chosen with "causeway context use", or the only one.',
    options: [sortOption(['name', 'cluster', 'expires'])],
    uses: ['output'],
    examples: ['causeway context list'],
    async run({ input, context }) {
      const all = await contexts.all();
      return sorted(contextsAnswer(all, inUse(all, await contexts.chosen()), context.clock.wall()), input.sortBy);
    },
  });
  const show = command<Partial<Named>>({
    name: 'show',
    summary: 'show a context',
    arguments: [completed(new Argument('[name]', 'name of the context; when absent, the context in use'), names)],
    uses: ['output'],
    examples: ['causeway context show', 'causeway context show prod -o json'],
    async run({ input, context }) {
      const all = await contexts.all();
      const current = inUse(all, await contexts.chosen());
      const found = contextNamed(all, input.name ?? current ?? noneInUse(all));
      return contextAnswer(found, found.name === current, context.clock.wall());
    },
  });
  const use = command<Named>({
    name: 'use',
    summary: 'choose the cluster that commands are for',
    description: '--context or CAUSEWAY_CONTEXT chooses another for one command.',
    arguments: [nameArgument()],
    uses: ['output'],
    examples: ['causeway context use prod'],
    async run({ input }) {
      const { name } = contextNamed(await contexts.all(), input.name);
      await contexts.use(name);
      return done(name, `context ${name} is in use`);
    },
  });
  const add = command<AddInput>({
    name: 'add',
    summary: 'make this user an operator of a cluster, with an operator’s token',
    description:
      'Gets a certificate for a new private key, which stays on this machine in ~/.config/causeway/NAME. The first context is in use\n' +
      `at once. May be repeated: the token is used once.\n${tokenHelp}`,
    arguments: [new Argument('<name>', 'name of the context').argParser(parseContextName)],
    options: [
      ...tokenOptions(),
      new Option('--managers <address,...>', 'managers as HOST[:7443]; one is enough')
        .env('CAUSEWAY_MANAGERS')
        .makeOptionMandatory()
        .argParser((text) => parseManagers(text)),
      new Option(
        '--operator <name>',
        'name of the operator in the cluster; when absent, the name of this user',
      ).argParser(parseNameOf('--operator')),
    ],
    uses: ['output'],
    examples: ['causeway context add prod --managers 10.0.0.1 --token CWAY1-operator-…'],
    progress: 'joining the cluster',
    run: ({ input, context }) => addContext(parts, input, context),
  });
  const remove = command<Named>({
    name: 'remove',
    summary: 'delete a context, with its private key, from this machine',
    description: 'The operator stays known to the cluster until the certificate expires.',
    arguments: [nameArgument()],
    uses: ['output'],
    examples: ['causeway context remove prod'],
    async run({ input }) {
      const { name } = contextNamed(await contexts.all(), input.name);
      await contexts.remove(name);
      return done(name, `context ${name} is removed`);
    },
  });
  return group('context', 'clusters that this user is an operator of', [list, use, show, add, remove]);
}

interface AddInput extends TokenInput {
  readonly name: string;
  readonly managers: readonly string[];
  readonly operator?: Name;
}

async function addContext(parts: ContextParts, input: AddInput, context: Context): Promise<Answer> {
  const { contexts, knock, createKey } = parts;
  const token = await readToken(parts.host, input);
  if (token.role !== 'operator') {
    const message = `this token makes ${token.role === 'agent' ? 'an agent' : 'a manager'}, not an operator: run "causeway join ADDRESS --token …" on the host, or "causeway operator token" where an operator uses causeway`;
    throw new CausewayError('role-mismatch', message, { role: token.role });
  }
  const name = input.operator ?? parseNameOf('--operator')(parts.user);
  const { clock, random, signal } = context;
  const notes: string[] = [];
  const onRemark = (remark: string): void => void notes.push(remark);
  const all = { knock, home: contexts.home(input.name), createKey, clock, random, onRemark };
  const before = inUse(await contexts.all(), await contexts.chosen());
  const { wasMember } = await enroll(all, { token, addresses: input.managers, name }, signal);
  // With a second context, the first is no longer the only one: that it is in use is written down.
  await contexts.use(before ?? input.name);
  const stored = await contexts.all();
  const isInUse = before === undefined || before === input.name;
  const { value } = contextAnswer(contextNamed(stored, input.name), isInUse, clock.wall());
  const how = isInUse ? 'it is in use' : `to use it: causeway context use ${input.name}`;
  const text = `context ${input.name} ${wasMember ? 'is there already' : 'is added'}; ${how}`;
  return { value, names: [input.name], table: { kind: 'line', text }, notes };
}

function noneInUse(all: readonly StoredContext[]): never {
  const message =
    all.length === 0
      ? 'this user is an operator of no cluster: "causeway init" founds one, and "causeway context add" joins one'
      : `none of the contexts is in use (${all.map(({ name }) => name).join(', ')}): choose one with "causeway context use"`;
  throw new CausewayError('identity-missing', message);
}

function done(name: string, text: string): Answer {
  return { value: { name }, names: [name], table: { kind: 'line', text } };
}
