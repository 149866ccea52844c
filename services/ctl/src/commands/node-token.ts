import { CausewayError, clip } from '@causeway/model';
import { type Duration, parseDuration, randomUuid } from '@causeway/runtime';
import { Argument, Option } from 'commander';
import type { Managers } from '../clients.ts';
import { command, group } from '../command.ts';
import { completed, type Source } from '../completion/values.ts';
import { parseInteger } from '../parse.ts';
import { sorted } from '../render/sort.ts';
import { createdTokenAnswer, tokenAnswer, tokensAnswer } from '../render/token.ts';
import { type SortInput, sortOption } from './list-options.ts';
import { present } from './present.ts';

interface Wanted {
  readonly role: string;
  readonly uses: number;
  readonly ttl: Duration;
}

const create = command<Wanted>({
  name: 'create',
  summary: 'make a token with which a host, a manager or an operator joins the cluster',
  description:
    'The token is a secret, and is shown only now: the cluster keeps a hash. It contains a fingerprint of the cluster’s CA, so a\n' +
    'host sends it to no other machine.',
  options: [
    new Option('--role <role>', 'what joins with it').choices(['agent', 'manager', 'operator']).makeOptionMandatory(),
    new Option('--uses <count>', 'how often it may be used').default(1).argParser(parseInteger('--uses', 1)),
    new Option('--ttl <duration>', 'how long it may be used: 10m, 1h, 720h at most')
      .default(parseDuration('1h'), '1h')
      .argParser(parseTtl),
  ],
  uses: ['managers', 'timeout', 'output'],
  needsMajority: true,
  seenBy: () => 'causeway node token list',
  examples: [
    'causeway node token create --role agent',
    'causeway node token create --role agent --uses 20 --ttl 10m -o json',
    'causeway node token create --role manager -q > /run/token',
  ],
  async run({ input: { role, uses, ttl }, clients, settings, context }) {
    const requestId = randomUuid(context.random);
    const { token, secret } = await clients.managers.createToken({ requestId, role, uses, ttlMs: BigInt(ttl) });
    return createdTokenAnswer(present(token, 'token'), secret, await addressesFor(clients.managers, settings.managers));
  },
});

/** How other hosts reach the managers: the addresses that are given here may be good on this host only. */
async function addressesFor(
  managers: Pick<Managers, 'listManagers'>,
  given: readonly string[],
): Promise<readonly string[]> {
  const listed = (await managers.listManagers({})).managers.filter(({ state }) => state !== 'unreachable');
  return listed.length === 0 ? given : listed.map(({ address }) => address);
}

const list = command<SortInput>({
  name: 'list',
  summary: 'list the join tokens, without their secrets',
  description: 'Tokens that can no longer be used are listed until a day after their end.',
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
export const nodeToken = group('token', 'tokens with which hosts, managers and operators join', [create, list, revoke]);

function parseTtl(text: string): Duration {
  const ttl = parseDuration(text);
  if (ttl !== undefined && ttl > 0) return ttl;
  const data = { field: '--ttl', value: clip(text) };
  throw new CausewayError('invalid-argument', `--ttl: "${clip(text)}" is not a duration such as 10m or 1h`, data);
}
