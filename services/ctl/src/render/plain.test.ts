import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toPlain } from './plain.ts';

test('a bigint is a number where that is exact, else its digits', () => {
  fc.assert(
    fc.property(fc.bigInt(), (value) => {
      const plain = toPlain(value);
      expect(BigInt(plain as number | string)).toBe(value);
      expect(typeof plain).toBe(Number.isSafeInteger(Number(value)) ? 'number' : 'string');
    }),
  );
});

test('what is inside is reached, what is plain is kept', () => {
  expect(toPlain({ a: [1n, { b: 2n, c: null, d: undefined }], e: 'x', f: true })).toEqual({
    a: [1, { b: 2, c: null, d: undefined }],
    e: 'x',
    f: true,
  });
});
