import { createToken, formatToken, tokenBytes } from '@causeway/identity';
import { expect, test } from 'vitest';
import { ofEndpoint, ofName, ofNetwork, ofToken } from './named-object.ts';

const token = createToken({ role: 'agent', pin: new Uint8Array(32) }, new Uint8Array(tokenBytes));
const text = formatToken(token);
const secret = text.slice(text.lastIndexOf('-') + 1);

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
  ['a whole token in place of its id', ofToken({ tokenId: text }), undefined],
  ['the secret of a token in place of its id', ofToken({ tokenId: secret }), undefined],
])('%s', (_, object, expected) => {
  expect(object).toBe(expected);
});
