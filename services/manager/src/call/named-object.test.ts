import { createToken, formatToken, formatUnlockKey, tokenBytes, unlockKeyBytes } from '@causeway/identity';
import { expect, test } from 'vitest';
import { ofEndpoint, ofName, ofNetwork, ofToken } from './named-object.ts';

const token = createToken({ role: 'agent', pin: new Uint8Array(32) }, new Uint8Array(tokenBytes));
const text = formatToken(token);
const secret = text.slice(text.lastIndexOf('-') + 1);
const unlockKey = formatUnlockKey(new Uint8Array(unlockKeyBytes).fill(7));
const part = unlockKey.slice(0, -5).toLowerCase();

test.each<[string, unknown, string | undefined]>([
  ['a name', ofNetwork({ network: 'red' }), 'network/red'],
  ['an endpoint of a network', ofEndpoint({ endpoint: 'red/web' }), 'endpoint/red/web'],
  ['a manager', ofName('manager')({ name: 'm2' }), 'manager/m2'],
  ['the id of a token', ofToken({ tokenId: token.id }), `token/${token.id}`],
  ['nothing', ofNetwork({ network: '' }), undefined],
  ['a path', ofNetwork({ network: 'a/b/c' }), undefined],
  ['text that obeys a terminal', ofNetwork({ network: '\u001b[2J' }), undefined],
  ['text without end', ofNetwork({ network: 'x'.repeat(1_000) }), undefined],
  ['a whole token, which a person has given as a name', ofNetwork({ network: text }), undefined],
  ['an unlock key', ofNetwork({ network: unlockKey }), undefined],
  ['a part of an unlock key, in other letters', ofEndpoint({ endpoint: `red/${part}` }), undefined],
  ['a whole token in place of its id', ofToken({ tokenId: text }), undefined],
  ['the secret of a token in place of its id', ofToken({ tokenId: secret }), undefined],
])('%s', (_, object, expected) => {
  expect(object).toBe(expected);
});
