import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { formsOf, hasSecret, textForms } from './secret-forms.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const scalar = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const sec1 = privateKey.export({ format: 'pem', type: 'sec1' }).toString();
const der = privateKey.export({ format: 'der', type: 'pkcs8' });
const token = '0123456789abcdefghjkmnpqrstvwxyz';

const has = (content: Uint8Array | string): boolean =>
  hasSecret(Buffer.from(content), [formsOf(scalar), textForms(token)]);

test.each<[string, Uint8Array | string]>([
  ['bytes', Buffer.concat([randomBytes(7), scalar, randomBytes(7)])],
  ['hexadecimal', `key=${scalar.toString('hex')} `],
  ['upper-case hexadecimal', scalar.toString('hex').toUpperCase()],
  ['base64', scalar.toString('base64')],
  ['base64 for addresses of the web', `"d":"${scalar.toString('base64url')}"`],
  ['an array of numbers', JSON.stringify([...scalar], null, 2)],
  ['PEM', pem],
  ['PEM in JSON', JSON.stringify({ key: pem })],
  ['PEM of OpenSSL', sec1],
  ['DER', der],
  ['DER in base64, inside of other bytes', Buffer.concat([Buffer.from('x'), der]).toString('base64')],
  ['text', `CWAY1-agent-${token} `],
  ['text with a mistake at its end', `${token.slice(0, -1)}0`],
])('a secret is found as %s', (_, content) => {
  expect(has(content)).toBe(true);
});

test('nothing is found where there is no secret', () => {
  expect(has(randomBytes(4_000).toString('base64'))).toBe(false);
  expect(has(pem.replaceAll(/^(?!-).*$/gm, 'AAAA'))).toBe(false);
});
