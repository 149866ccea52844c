import { randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import { command, group } from '../command.ts';
import { completed, type Source } from '../completion/values.ts';
import { sorted } from '../render/sort.ts';
import { tokenAnswer, tokensAnswer } from '../render/token.ts';
import { type SortInput, sortOption } from './list-options.ts';
import { present } from './present.ts';
import { createTokenFor, lifeOption, nameOption, type TokenLife, usesOption } from './token-create.ts';

interface Wanted extends TokenLife {
  readonly role: string;
}

const create = command<Wanted>({
  name: 'create',
  summary: 'make a token with which a host or a manager joins the cluster',
  description:
    'The token is a secret, and is shown only now: the cluster keeps a hash. It contains a fingerprint of the cluster’s CA, so a\n' +
    'host sends it to no other machine. A host that has lost its data, or whose certificate has expired, joins again under its name, and\n' +
    'keeps its endpoints, only with a token for this name (--name).',
  options: [
    new Option('--role <role>', 'what joins with it').choices(['agent', 'manager']).makeOptionMandatory(),
    nameOption(),
    usesOption(),
    lifeOption(),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: () => 'causeway node token list',
  examples: [
    'causeway node token create --role agent',
    'causeway node token create --role agent --name h3',
    'causeway node token create --role agent --uses 20 --ttl 10m -o json',
    'causeway node token create --role manager -q > /run/token',
  ],
  run: (call) => createTokenFor(call.input.role, call),
});

const list = command<SortInput>({
  name: 'list',
  summary: 'list the join tokens, without their secrets',
  description:
    'Also those of "causeway operator token". Tokens that can no longer be used are listed until a day after their end.',
  options: [sortOption(['role', 'state', 'used', 'createdAt', 'expires'])],
  uses: ['managers', 'timeout', 'output'],
  examples: ['causeway node token list', 'causeway node token list --sort-by expires -o json'],
  async run({ input, clients, context }) {
    const { tokens } = await clients.managers.listTokens({});
    return sorted(tokensAnswer(tokens, context.clock.wall()), input.sortBy);
  },
});

const tokenIds: Source = async ({ clients }) => {
  const { tokens } = await clients.managers.listTokens({});
  return tokens.filter(({ revokedMs }) => revokedMs === 0n).map(({ id, role }) => ({ word: id, help: role }));
};

const revoke = command<{ readonly id: string }>({
  name: 'revoke',
  summary: 'end a join token, so that nothing more joins with it',
  description: 'What has joined with it stays: "causeway node remove" removes a host. The command may be repeated.',
  arguments: [completed(new Argument('<id>', 'id of the token, as "causeway node token list" shows it'), tokenIds)],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: () => 'causeway node token list',
  examples: ['causeway node token revoke 4m2z9qk0t7xw3c1v'],
  async run({ input, clients, context }) {
    const { token } = await clients.managers.revokeToken({
      requestId: randomUuid(context.random),
      tokenId: input.id,
    });
    return tokenAnswer(present(token, 'token'), context.clock.wall());
  },
});

/** `causeway node token` */
export const nodeToken = group('token', 'tokens with which hosts and managers join', [create, list, revoke]);
