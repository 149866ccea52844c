import { networkToMessage } from '@causeway/proto';
import { ConnectResponse, Delta } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { expect, it } from 'vitest';
import { Interner } from '../tables/table.ts';
import { newestFeed, testNetwork } from '../testing/table.ts';
import { type Incoming, readIncoming } from './incoming.ts';

const read = (message: ConnectResponse['message']): Promise<Incoming | undefined> =>
  readIncoming(ConnectResponse.create({ message }), newestFeed, new Interner(), () => Promise.resolve());
const networkId = testNetwork.id;

it.each<[string, ConnectResponse['message'], Incoming | undefined]>([
  [
    'a withdrawal names the network',
    { oneofKind: 'withdraw', withdraw: { networkId } },
    { kind: 'withdraw', networkId },
  ],
  ['Ready names a revision', { oneofKind: 'ready', ready: { revision: 7n } }, { kind: 'ready', revision: 7n }],
  [
    'a verify call says whether to repair',
    { oneofKind: 'verify', verify: { call: 3n, repair: true } },
    { kind: 'verify', call: 3n, repair: true },
  ],
  ['a crypto call has a number', { oneofKind: 'crypto', crypto: { call: 4n } }, { kind: 'crypto', call: 4n }],
  [
    'a rekey names the generation that is to be followed',
    { oneofKind: 'rekey', rekey: { afterGeneration: 4n } },
    { kind: 'rekey', after: 4 },
  ],
  [
    'a rekey after a generation that no host has is skipped',
    { oneofKind: 'rekey', rekey: { afterGeneration: 2n ** 31n } },
    undefined,
  ],
  [
    'a goodbye names the leader and the reason',
    { oneofKind: 'goodbye', goodbye: { leaderAddress: 'm2:7443', reason: 'moved', taken: true } },
    { kind: 'goodbye', leader: 'm2:7443', reason: 'moved', taken: true },
  ],
  ['a message of a later protocol is skipped', { oneofKind: undefined }, undefined],
])('%s', async (_, message, expected) => expect(await read(message)).toEqual(expected));

it.each([
  ['has it when the network changed', true],
  ['has none when only rows changed', false],
])('a delta and the network itself: the delta %s', async (_, isChanged) => {
  const network = isChanged ? networkToMessage(testNetwork, 6n) : undefined;
  const delta = Delta.create({ networkId, from: 5n, to: 6n, digest: 9n, ...(network && { network }) });
  const incoming = await read({ oneofKind: 'delta', delta });
  expect(incoming).toMatchObject({ kind: 'delta', delta: { networkId, from: 5n, to: 6n, digest: 9n } });
  expect(incoming?.kind === 'delta' && 'network' in incoming.delta).toBe(isChanged);
  if (isChanged) expect(incoming).toMatchObject({ delta: { network: testNetwork } });
});
