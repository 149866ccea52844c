import { unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, type TokenRecord } from './admission.ts';
import { authorityOf, hour, now } from './testing/fixtures.ts';
import { fileOf, openssl, testWithOpenssl } from './testing/openssl.ts';
import { allTextOf, outcome } from './testing/outcome.ts';
import { createToken, formatToken, hashSecret, parseToken, parseTokenId, tokenBytes } from './token.ts';
import { formatPin, pinOf } from './trust.ts';
import { formatCertificates } from './x509/certificate.ts';

const root = authorityOf(1).certificate;
const token = createToken({ role: 'agent', pin: pinOf(root) }, new SeededRandom(6).bytes(tokenBytes));
const text = formatToken(token);
const [prefix, role, pin, id, secret] = text.split('-') as [string, string, string, string, string];

test('a token is the same after text', () => {
  expect(unwrap(parseToken(text))).toEqual(token);
  expect(text).toMatch(/^CWAY1-agent-[0-9a-z]{56}-[0-9a-z]{16}-[0-9a-z]{32}$/);
  expect(unwrap(parseTokenId(id))).toBe(token.id);
  expect(outcome(parseTokenId(id.slice(1)))).toContain('its id has 15 characters; expected 16');
});

testWithOpenssl('the fingerprint in a token is the one of the CA’s public key', () => {
  const publicKey = fileOf(openssl('x509', '-in', fileOf(formatCertificates([root])), '-noout', '-pubkey'));
  const der = fileOf('');
  openssl('pkey', '-pubin', '-in', publicKey, '-outform', 'der', '-out', der);
  expect(openssl('dgst', '-sha256', der)).toContain(formatPin(unwrap(parseToken(text)).pin));
});

describe('a damaged token', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'begins with something other than CWAY1-'],
    ['a token of Swarm', `SWMTKN-1-${pin}-${secret}`, 'begins with something other than CWAY1-'],
    ['the prefix in other letters', text.toLowerCase(), 'begins with something other than CWAY1-'],
    ['a part is missing', [prefix, role, pin, secret].join('-'), 'has 4 parts; expected 5'],
    ['a part too many', `${text}-x`, 'has 6 parts'],
    ['a mistyped role', [prefix, 'agnet', pin, id, secret].join('-'), 'is damaged: its role is mistyped'],
    ['another role', [prefix, 'manager', pin, id, secret].join('-'), 'its secret is mistyped: its checksum is wrong'],
    ['cut at the end', text.slice(0, -1), 'is damaged: its secret has 31 characters; expected 32'],
    [
      'a mistyped fingerprint',
      [prefix, role, pin.replace(/^./, (c) => (c === '0' ? '1' : '0')), id, secret].join('-'),
      'its CA fingerprint is mistyped',
    ],
    [
      'a mistyped id',
      [prefix, role, pin, id.replace(/.$/, (c) => (c === '0' ? '1' : '0')), secret].join('-'),
      'its id is mistyped',
    ],
    [
      'a letter that is none of the digits',
      [prefix, role, pin, id, secret.replace(/^./, 'u')].join('-'),
      'its secret has characters other than',
    ],
    [
      'in capital letters',
      [prefix, role, pin, id, secret.toUpperCase()].join('-'),
      'its secret has characters other than',
    ],
    ['a space at the end', `${text} `, 'its secret has 33 characters'],
  ])('%s', (_, damaged, why) => {
    const said = outcome(parseToken(damaged));
    expect(said).toContain('token-invalid');
    expect(said).toContain(why);
  });
});

const digits = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_ ';

test('any change of a character is recognised, and no error contains a part of the secret', () => {
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom(...digits), (at, digit) => {
      fc.pre(text[at] !== digit);
      const parsed = parseToken(`${text.slice(0, at)}${digit}${text.slice(at + 1)}`);
      expect(parsed.ok).toBe(false);
      const said = parsed.ok ? '' : allTextOf(parsed.error);
      for (let from = 0; from + 6 <= secret.length; from++) expect(said).not.toContain(secret.slice(from, from + 6));
    }),
    { numRuns: 1_000 },
  );
});

test('two neighbouring characters in the other order are recognised', () => {
  for (let at = 6; at < text.length - 1; at++) {
    const swapped = `${text.slice(0, at)}${text[at + 1]}${text[at]}${text.slice(at + 2)}`;
    if (swapped !== text) expect(parseToken(swapped).ok).toBe(false);
  }
});

describe('joining with a token', () => {
  const record: TokenRecord = {
    id: token.id,
    role: 'agent',
    hash: hashSecret(token),
    uses: 2,
    used: 0,
    expires: now + hour,
  };
  const other = createToken(token, new SeededRandom(7).bytes(tokenBytes));
  test.each<[string, TokenRecord | undefined, typeof token, number, string]>([
    ['the first time', record, token, now, 'accepted'],
    ['the last time', { ...record, used: 1 }, token, now, 'accepted'],
    [
      'once more',
      { ...record, used: 2 },
      token,
      now,
      'token-used: the join token was used 2 times, as often as it may be; create a new token',
    ],
    [
      'with a token for one host, again',
      { ...record, uses: 1, used: 1 },
      token,
      now,
      'token-used: the join token was used once',
    ],
    ['just in time', record, token, now + hour - 1, 'accepted'],
    [
      'too late',
      record,
      token,
      now + hour,
      'token-expired: the join token expired on 2026-11-27T01:00:00Z; create a new token',
    ],
    [
      'after it was revoked',
      { ...record, revoked: now },
      token,
      now,
      'token-revoked: the join token was revoked on 2026-11-27T00:00:00Z',
    ],
    [
      'with another secret',
      record,
      { ...token, secret: other.secret },
      now,
      'token-refused: the join token does not exist in this cluster',
    ],
    ['with another secret, too late', record, { ...token, secret: other.secret }, now + hour, 'token-refused'],
    ['with another id', record, { ...token, id: other.id }, now, 'token-refused'],
    ['with an id that is unknown', undefined, token, now, 'token-refused'],
  ])('%s', (_, known, given, at, said) => expect(outcome(admit(known, given, at))).toContain(said));

  test('counts', () => expect(unwrap(admit(record, token, now))).toEqual({ ...record, used: 1 }));

  test('the record does not contain the secret', () => {
    expect(JSON.stringify(record)).not.toContain(Buffer.from(token.secret).toString('hex'));
    expect(JSON.stringify(record)).not.toContain(secret);
  });
});
