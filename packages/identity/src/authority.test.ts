import { describe, expect, test } from 'vitest';
import { checkAuthority } from './authority.ts';
import { parsePrivateKey } from './credential.ts';
import { agent, authorityOf, credentialOf, day, keyOf, now } from './testing/fixtures.ts';
import { openssl, testWithOpenssl } from './testing/openssl.ts';
import { outcome } from './testing/outcome.ts';

const { certificate, key } = authorityOf(1);
const [leaf] = credentialOf(authorityOf(1), agent).chain;

describe('a CA', () => {
  test.each<[string, typeof certificate, typeof key, number, string]>([
    ['can issue', certificate, key, now, 'accepted'],
    [
      'that is not one',
      leaf,
      keyOf(100),
      now,
      'O=0123456789abcdef, OU=agent, CN=a1a1a1a1a1a1a1a1" is not a CA certificate',
    ],
    ['with the key of another', certificate, keyOf(2), now, 'the private key is not the key of the certificate'],
    ['that expired', certificate, key, now + 4000 * day, 'expired on 2036-11-26T00:00:00Z'],
    [
      'of the future',
      certificate,
      key,
      now - day,
      'is valid from 2026-11-26T23:50:00Z, and here it is 2026-11-26T00:00:00Z',
    ],
  ])('%s', (_, of, by, at, said) => expect(outcome(checkAuthority(of, by, at))).toContain(said));
});

describe('private keys that OpenSSL made', () => {
  const p256 = ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const cases: readonly [string, readonly string[], string][] = [
    ['in PKCS #8', p256, 'accepted'],
    ['in the older form', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout'], 'accepted'],
    ['encrypted', [...p256, '-aes256', '-pass', 'pass:word'], 'it contains no private key'],
    [
      'on another curve',
      ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
      'not a key on the curve P-256',
    ],
    ['with explicit parameters', [...p256, '-pkeyopt', 'ec_param_enc:explicit'], 'not a key on the curve P-256'],
    ['of RSA', ['genpkey', '-algorithm', 'RSA'], 'not a key on the curve P-256'],
    ['of Ed25519', ['genpkey', '-algorithm', 'ED25519'], 'not a key on the curve P-256'],
  ];
  for (const [what, args, said] of cases)
    testWithOpenssl(what, () => expect(outcome(parsePrivateKey(openssl(...args)))).toContain(said));
});
