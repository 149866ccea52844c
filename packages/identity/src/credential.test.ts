import { unwrap } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { formatIdentity, formatPrivateKey, parseIdentity, sentChain } from './credential.ts';
import { agent, authorityOf, credentialOf, keyOf } from './testing/fixtures.ts';
import { allTextOf, outcome } from './testing/outcome.ts';
import { formatCertificates } from './x509/certificate.ts';

const root = authorityOf(1);
const { key, chain } = credentialOf(root, agent);
const withIssuer = [chain[0], root.certificate] as const;

test.each([
  ['one certificate', chain],
  ['its issuer too', withIssuer],
] as const)('an identity is the same after text: %s', (_, of) => {
  const again = unwrap(parseIdentity(formatIdentity({ key, chain: of })));
  expect(again.chain.map(({ serial }) => serial)).toEqual(of.map(({ serial }) => serial));
  expect(formatPrivateKey(again.key)).toBe(formatPrivateKey(key));
});

describe('an identity is refused', () => {
  const text = formatIdentity({ key, chain });
  const cases: readonly [string, string, string][] = [
    ['without a key', formatCertificates(chain), 'it contains no private key'],
    ['without a certificate', formatPrivateKey(key), 'the text contains none'],
    ['with the key of another', formatIdentity({ key: keyOf(7), chain }), 'is not the key of its certificate'],
    [
      'whose first certificate is its issuer',
      formatPrivateKey(key) + formatCertificates([root.certificate, ...chain]),
      'is not the key of its certificate',
    ],
    ['whose certificate has no end', text.slice(0, -10), 'damaged'],
    [
      'whose key is other bytes',
      text.replace(/(PRIVATE KEY-----\n)..../, '$1AAAA'),
      'its private key cannot be parsed',
    ],
  ];
  test.each(cases)('%s', (_, damaged, why) => {
    const parsed = parseIdentity(damaged);
    expect(outcome(parsed)).toMatch(/^data-damaged: the identity is damaged: /);
    expect(outcome(parsed)).toContain(why);
    const said = parsed.ok ? '' : allTextOf(parsed.error);
    for (const line of formatPrivateKey(key).split('\n').slice(1, -2)) expect(said).not.toContain(line);
  });
});

test('a handshake sends the chain, and then the roots', () => {
  const next = authorityOf(2).certificate;
  expect(sentChain({ chain, trust: [root.certificate, next] })).toEqual([...chain, root.certificate, next]);
});
