import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyOf } from '../testing/fixtures.ts';
import { fileOf, openssl, testWithOpenssl } from '../testing/openssl.ts';
import { outcome } from '../testing/outcome.ts';
import { context, encode, integer, type Node, parts, sequence } from './der.ts';
import { formatPem, parsePem } from './pem.ts';
import { checkRequest, createRequest } from './request.ts';
import { signed, spkiNode, spkiOf } from './signed.ts';

const key = keyOf(1);
const request = createRequest(key);

test('a request gives the key for which it was made', () => {
  const checked = checkRequest(request);
  expect(checked.ok && spkiOf(checked.value)).toEqual(spkiOf(createPublicKey(key)));
});

testWithOpenssl('OpenSSL verifies a request', () => {
  const file = fileOf(formatPem('CERTIFICATE REQUEST', request));
  expect(openssl('req', '-in', file, '-verify', '-noout')).toContain('verify OK');
});

/** A request that OpenSSL makes. */
function foreign(algorithm: readonly string[], options: readonly string[] = []): Uint8Array {
  const keyFile = fileOf(openssl('genpkey', ...algorithm));
  const pem = openssl('req', '-new', '-key', keyFile, '-subj', '/CN=root', ...options);
  return parsePem(pem)?.[0]?.der ?? new Uint8Array();
}

const p256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

describe('requests that OpenSSL made', () => {
  const extensions = ['-addext', 'subjectAltName=URI:spiffe://0123456789abcdef/manager/m1'];
  const cases: readonly [string, readonly string[], readonly string[], string][] = [
    ['with names, which are ignored', p256, extensions, 'accepted'],
    ['with an RSA key', ['-algorithm', 'RSA'], [], 'not signed by ECDSA with SHA-256'],
    ['signed with SHA-384', p256, ['-sha384'], 'not signed by ECDSA with SHA-256'],
    [
      'on another curve',
      ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
      ['-sha256'],
      'not a key on the curve P-256',
    ],
    ['with explicit parameters', [...p256, '-pkeyopt', 'ec_param_enc:explicit'], [], 'not a key on the curve P-256'],
  ];
  for (const [what, algorithm, options, expected] of cases)
    testWithOpenssl(what, () => expect(outcome(checkRequest(foreign(algorithm, options)))).toContain(expected));
});

describe('refused', () => {
  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['another byte at the end', new Uint8Array([...request, 0])],
    ['a byte too few', request.subarray(0, -1)],
    [
      'a longer way to write the length (BER)',
      new Uint8Array([0x30, 0x82, 0x00, request[2] ?? 0, ...request.subarray(3)]),
    ],
    [
      'structures within structures',
      new Uint8Array(Array.from({ length: 1_000 }, (_, i) => (i % 2 === 0 ? 0x30 : 0x80))),
    ],
    ['a large request', new Uint8Array(3_000)],
  ])('%s', (_, bytes) => expect(outcome(checkRequest(bytes))).toContain('certificate-request-invalid'));
});

describe('refused, although its key has signed it', () => {
  const version = (n: number): Node => integer(Uint8Array.of(n));
  const spki = spkiNode(createPublicKey(key));
  test.each<[string, readonly Node[], string]>([
    ['attributes of another form', [version(0), sequence(), spki, sequence()], 'not a PKCS #10 request'],
    ['other attributes than [0]', [version(0), sequence(), spki, context(1)], 'not a PKCS #10 request'],
    ['no attributes', [version(0), sequence(), spki], 'not a PKCS #10 request'],
    ['a part too many', [version(0), sequence(), spki, context(0), sequence()], 'not a PKCS #10 request'],
    ['another version', [version(1), sequence(), spki, context(0)], 'not a PKCS #10 request'],
    ['no version', [sequence(), sequence(), spki, context(0)], 'not a PKCS #10 request'],
    ['a subject of another form', [version(0), version(0), spki, context(0)], 'not a PKCS #10 request'],
    ['a key of another form', [version(0), sequence(), sequence(), context(0)], 'not a key on the curve P-256'],
  ])('%s', (_, info, why) => {
    expect(outcome(checkRequest(encode(signed(sequence(...info), key))))).toContain(why);
  });

  test('a part after its signature', () => {
    const whole = signed(sequence(version(0), sequence(), spki, context(0)), key);
    expect(checkRequest(encode(whole)).ok).toBe(true);
    expect(checkRequest(encode(sequence(...(parts(whole) ?? []), sequence()))).ok).toBe(false);
  });
});

test('any change of a byte is refused', () => {
  fc.assert(
    fc.property(fc.nat(request.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = request.map((byte, i) => (i === at ? byte ^ change : byte));
      expect(checkRequest(changed).ok).toBe(false);
    }),
    { numRuns: 400 },
  );
});

test('bytes of any kind are refused without a crash', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => !checkRequest(bytes).ok));
});
