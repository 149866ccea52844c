import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBase32, fromBase64, toBase32, toBase64, toHex } from './text.ts';

test('hex and base64 are as Buffer writes them, and read back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
      expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      expect(fromBase64(toBase64(bytes))).toEqual(bytes);
    }),
  );
});

test('base 32 of multiples of five bytes is read back', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 5, maxLength: 5 })), (groups) => {
      const bytes = Uint8Array.from(groups.flatMap((group) => [...group]));
      expect(fromBase32(toBase32(bytes))).toEqual(bytes);
    }),
  );
});

test('base 32 is the one of Crockford', () => expect(toBase32(Buffer.from('hello'))).toBe('d1jprv3f'));

test.each([
  ['base64 with bits that no byte has', fromBase64('QQ=='), fromBase64('QR==')],
  ['base64 with a space', fromBase64('QUJD'), fromBase64('QU JD')],
  ['base 32 in capital letters', fromBase32('00000000'), fromBase32('0000000A')],
  ['base 32 of another length', fromBase32('00000000'), fromBase32('0000000')],
])('refused: %s', (_, good, bad) => {
  expect(good).toBeDefined();
  expect(bad).toBeUndefined();
});
