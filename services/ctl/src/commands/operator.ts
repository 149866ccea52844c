import { randomUuid } from '@causeway/runtime';
import { Argument } from 'commander';
import type { Managers } from '../clients.ts';
import { command, group } from '../command.ts';
import type { Names } from '../noun-group.ts';
import { operatorsAnswer } from '../render/operator.ts';
import { sorted } from '../render/sort.ts';
import { type SortInput, sortOption } from './list-options.ts';
import { createTokenFor, lifeOption, type TokenLife, usesOption } from './token-create.ts';

const operatorsOf = async (managers: Pick<Managers, 'showCa'>) =>
  (await managers.showCa({})).certificates.filter(({ role }) => role === 'operator');

const operatorNames: Names = async (managers) =>
  (await operatorsOf(managers)).map(({ name }) => ({ word: name, help: '' }));

const list = command<SortInput>({
  name: 'list',
  summary: 'list the operators, and until when their certificates are valid',
  options: [sortOption(['name', 'issued', 'expires'])],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway operator list'],
  async run({ input, clients, context }) {
    return sorted(operatorsAnswer(await operatorsOf(clients.managers), context.clock.wall()), input.sortBy);
  },
});

const token = command<TokenLife>({
  name: 'token',
  summary: 'make a token with which another user becomes an operator',
  description:
    'The user runs the line that this command prints. The private key is made on that user’s machine and stays there. "causeway node token list"\n' +
    'shows the token, and "causeway node token revoke" ends it.',
  options: [usesOption(), lifeOption()],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: () => 'causeway node token list',
  examples: ['causeway operator token', 'causeway operator token --ttl 10m -q'],
  run: (call) => createTokenFor('operator', call),
});

const revoke = command<{ readonly operator: string }>({
  name: 'revoke',
  summary: 'accept no certificate that an operator has by now',
  description:
    'Every manager refuses the operator within seconds, and the tokens that the operator has created are revoked. What has joined with\n' +
    'them stays. A new token admits the operator again, under any name.',
  arguments: [new Argument('<operator>', 'name of the operator')],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: () => 'causeway operator list',
  examples: ['causeway operator revoke eve'],
  async run({ input: { operator: name }, clients, context }) {
    await clients.managers.revokeOperator({ requestId: randomUuid(context.random), name });
    return { value: { name }, names: [name], table: { kind: 'line', text: `operator ${name} is revoked` } };
  },
});

/** `causeway operator` */
export const operator = group('operator', 'users who may change the cluster', [list, token, revoke], operatorNames);
