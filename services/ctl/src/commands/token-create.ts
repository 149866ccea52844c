import type { Name } from '@causeway/model';
import { type Duration, parseDuration, randomUuid } from '@causeway/runtime';
import { Option } from 'commander';
import type { Answer } from '../answer.ts';
import type { Managers } from '../clients.ts';
import type { Call } from '../command.ts';
import { parseDurationOf, parseInteger, parseNameOf } from '../parse.ts';
import { createdTokenAnswer } from '../render/token.ts';
import { present } from './present.ts';

export interface TokenLife {
  readonly uses: number;
  readonly ttl: Duration;
  readonly name?: Name;
}

export const usesOption = (): Option =>
  new Option('--uses <count>', 'how often it may be used').default(1).argParser(parseInteger('--uses', 1));

export const lifeOption = (): Option =>
  new Option('--ttl <duration>', 'how long it may be used: 10m, 1h, 720h at most')
    .default(parseDuration('1h'), '1h')
    .argParser(parseDurationOf('--ttl', '10m or 1h'));

export const nameOption = (): Option =>
  new Option(
    '--name <name>',
    'the only name with which something may join; needed for a host that joins again',
  ).argParser(parseNameOf('--name'));

export async function createTokenFor(
  role: string,
  { input: { uses, ttl, name }, clients: { managers }, settings, context }: Call<TokenLife>,
): Promise<Answer> {
  const requestId = randomUuid(context.random);
  const { token, secret } = await managers.createToken({ requestId, role, uses, ttlMs: BigInt(ttl), name: name ?? '' });
  return createdTokenAnswer(present(token, 'token'), secret, await addressesFor(managers, settings.managers));
}

/** How other hosts reach the managers: the addresses that are given here may be good on this host only. */
async function addressesFor(
  managers: Pick<Managers, 'listManagers'>,
  given: readonly string[],
): Promise<readonly string[]> {
  const listed = (await managers.listManagers({})).managers.filter(({ state }) => state !== 'unreachable');
  return listed.length === 0 ? given : listed.map(({ address }) => address);
}
