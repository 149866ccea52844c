import { unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPrivateKey } from './credential.ts';
import { createSealingKey, type SealContext, seal, unseal } from './seal.ts';
import { cluster, keyOf, otherCluster } from './testing/fixtures.ts';
import { allTextOf, outcome } from './testing/outcome.ts';
import { toBase64, utf8 } from './text.ts';
import {
  formatSealingKeyFile,
  formatUnlockKey,
  keysOf,
  lock,
  openFile,
  parseSealingKeyFile,
  parseUnlockKey,
  unlock,
} from './unlock.ts';

const random = new SeededRandom(8);
const [key, otherKey, unlockKey] = [1, 2, 3].map(() => createSealingKey(random)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const context: SealContext = { cluster, purpose: 'CA key' };
const secret = utf8(formatPrivateKey(keyOf(1)));
const sealed = seal(key, secret, context, random);

test('a sealed secret opens, and looks different each time', () => {
  expect(unwrap(unseal(key, sealed, context))).toEqual(secret);
  expect(seal(key, secret, context, random)).not.toEqual(sealed);
});

test('secrets of any length open', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(unwrap(unseal(key, seal(key, bytes, context, random), context))).toEqual(bytes);
    }),
  );
});

describe('a sealed secret does not open', () => {
  test.each<[string, Uint8Array, Uint8Array, SealContext, string]>([
    ['with another key', otherKey, sealed, context, 'unlock-key-wrong: the CA key was sealed with another key'],
    [
      'in another cluster',
      key,
      sealed,
      { ...context, cluster: otherCluster },
      'data-damaged: the sealed CA key is damaged, or belongs to another cluster',
    ],
    ['for another purpose', key, sealed, { ...context, purpose: 'sealing key' }, 'data-damaged'],
    [
      'when it was cut',
      key,
      sealed.subarray(0, 20),
      context,
      'data-damaged: the sealed CA key is damaged, or of a later version',
    ],
    ['when only its head is there', key, sealed.subarray(0, 12), context, 'data-damaged'],
    [
      'when its tag was cut',
      key,
      sealed.subarray(0, 39),
      context,
      'data-damaged: the sealed CA key is damaged, or of a later version',
    ],
    ['when it is empty', key, new Uint8Array(), context, 'data-damaged'],
  ])('%s', (_, by, bytes, of, said) => expect(outcome(unseal(by, bytes, of))).toContain(said));
});

test('any change of a byte is refused, and no error contains a part of the secret', () => {
  const parts = formatPrivateKey(keyOf(1))
    .split('\n')
    .filter((line) => line.length > 8);
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const opened = unseal(
        key,
        sealed.map((byte, i) => (i === at ? byte ^ change : byte)),
        context,
      );
      expect(opened.ok).toBe(false);
      const said = opened.ok ? '' : allTextOf(opened.error);
      for (const part of parts.slice(1)) expect(said).not.toContain(part);
    }),
    { numRuns: 500 },
  );
});

describe('an unlock key', () => {
  const text = formatUnlockKey(unlockKey);

  test('is the same after text', () => {
    expect(unwrap(parseUnlockKey(text))).toEqual(unlockKey);
    expect(text).toMatch(/^CWKEY1-[0-9a-z]{56}$/);
  });

  test.each<[string, string, string]>([
    ['nothing', '', 'is not of the form CWKEY1-…'],
    ['a join token', text.replace('CWKEY1', 'CWAY1'), 'is not of the form CWKEY1-…'],
    ['two keys', `${text}-${text}`, 'is not of the form CWKEY1-…'],
    ['cut', text.slice(0, -2), 'is damaged: it has 54 characters; expected 56'],
    ['mistyped', text.replace(/.$/, (c) => (c === '0' ? '1' : '0')), 'is damaged: it is mistyped'],
  ])('is refused: %s', (_, damaged, why) => {
    expect(outcome(parseUnlockKey(damaged))).toContain(`unlock-key-invalid: the unlock key ${why}`);
  });

  test('with any other character is recognised, and no error contains a part of it', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'0123456789abcdefuZ-'), (at, digit) => {
        fc.pre(text[at] !== digit);
        const parsed = parseUnlockKey(`${text.slice(0, at)}${digit}${text.slice(at + 1)}`);
        expect(parsed.ok).toBe(false);
        const said = parsed.ok ? '' : allTextOf(parsed.error);
        for (let from = 7; from + 6 <= text.length; from++) expect(said).not.toContain(text.slice(from, from + 6));
      }),
    );
  });
});

describe('the file of the sealing key', () => {
  test('has earlier keys, too, open and locked', () => {
    const file = openFile(cluster, [key, otherKey]);
    expect(unwrap(parseSealingKeyFile(formatSealingKeyFile(file)))).toEqual(file);
    const shut = lock(file, unlockKey, random);
    expect(unwrap(unlock(unwrap(parseSealingKeyFile(formatSealingKeyFile(shut))), unlockKey))).toEqual(file);
    expect(keysOf(file)).toEqual([key, otherKey]);
  });

  const open = { cluster, state: 'open', key } as const;
  const locked = lock(open, unlockKey, random);

  test.each([open, locked])('is the same after text: $state', (file) => {
    expect(unwrap(parseSealingKeyFile(formatSealingKeyFile(file)))).toEqual(file);
  });

  test('contains the key only while it is open', () => {
    expect(formatSealingKeyFile(open)).toContain(toBase64(key));
    expect(formatSealingKeyFile(locked)).not.toContain(toBase64(key));
  });

  test.each<[string, typeof locked, Uint8Array | undefined, string]>([
    ['an open file, without a key', open, undefined, 'accepted'],
    ['a locked file, with its key', locked, unlockKey, 'accepted'],
    [
      'a locked file, without a key',
      locked,
      undefined,
      'unlock-key-missing: this manager is locked: give the unlock key',
    ],
    ['a locked file, with another key', locked, otherKey, 'unlock-key-wrong'],
    ['a locked file that another cluster’s replaced', { ...locked, cluster: otherCluster }, unlockKey, 'data-damaged'],
  ])('unlocks: %s', (_, file, given, said) => expect(outcome(unlock(file, given))).toContain(said));

  test('gives back the key', () => expect(unwrap(unlock(locked, unlockKey)).key).toEqual(key));

  test.each([
    '',
    '{',
    'null',
    '[]',
    '{"version":2}',
    formatSealingKeyFile(open).replace('"version":1', '"version":2'),
    formatSealingKeyFile(open).replace(cluster, 'x'),
    formatSealingKeyFile(open).replace(/"bytes":"../, '"bytes":"?'),
    formatSealingKeyFile(open).replace('open', 'ajar'),
    formatSealingKeyFile({ ...open, key: key.subarray(1) }),
  ])('is refused: %j', (text) => {
    const parsed = parseSealingKeyFile(text);
    expect(outcome(parsed)).toContain('data-damaged');
    expect(parsed.ok ? '' : allTextOf(parsed.error)).not.toContain(toBase64(key).slice(0, 10));
  });
});
