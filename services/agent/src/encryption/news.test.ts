import { ConnectResponse, KeyReceipt, OwnKeys } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { expect, it } from 'vitest';
import { readKeyNews } from './news.ts';

const own = { index: 0x101, version: 3n, newest: 2n };

function readOwn(over: Partial<typeof own>): unknown {
  const ownKeys = OwnKeys.create({ ...own, ...over });
  return readKeyNews(ConnectResponse.create({ message: { oneofKind: 'ownKeys', ownKeys } }));
}

it('what the managers have of this host is read', () => {
  expect(readOwn({})).toEqual({ kind: 'own', index: 0x101, version: 3, newest: 2 });
  expect(readOwn({ version: 0n, newest: 0n })).toMatchObject({ version: 0, newest: 0 });
});

it.each([
  ['an index that is reserved', { index: 0xff }],
  ['an index of more than 24 bits', { index: 0x100_0000 }],
  ['a version without end', { version: 2n ** 31n }],
  ['a generation without end', { newest: 2n ** 63n }],
])('%s is not believed', (_, over) => {
  expect(readOwn(over)).toBeUndefined();
});

it('receipts with numbers that no host has are left out', () => {
  const pair = (sender: bigint) => ({ sender, receiver: 1n });
  const receipts = [
    { nodeId: 'a', version: 0n, receives: [] },
    { nodeId: 'b', version: 2n ** 32n, receives: [] },
    { nodeId: 'c', version: 1n, receives: [pair(0n)] },
    { nodeId: 'd', version: 1n, receives: [], sends: pair(2n ** 60n) },
    { nodeId: 'e', version: 1n, receives: [pair(1n)], sends: pair(2n) },
  ].map((each) => KeyReceipt.create(each));
  const news = readKeyNews(ConnectResponse.create({ message: { oneofKind: 'receipts', receipts: { receipts } } }));
  expect(news).toEqual({
    kind: 'receipts',
    receipts: [
      ['a', { version: 0, receives: [] }],
      ['e', { version: 1, receives: [{ sender: 1, receiver: 1 }], sends: { sender: 2, receiver: 1 } }],
    ],
  });
});
