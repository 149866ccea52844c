import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatSpan, isoTime } from './time.ts';

test('ISO time is what Date prints, years 1 to 9999', () => {
  const range = { min: Date.parse('0001-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:59.999Z') };
  fc.assert(
    fc.property(fc.integer(range), (time) => {
      expect(isoTime(time)).toBe(new Date(time).toISOString());
    }),
  );
});

test.each([
  '1970-01-01T00:00:00.000Z',
  '2000-02-29T23:59:59.999Z',
  '1900-03-01T00:00:00.000Z',
  '2023-12-31T23:59:59.001Z',
  '2024-02-29T12:00:00.000Z',
])('%s', (text) => {
  expect(isoTime(BigInt(Date.parse(text)))).toBe(text);
});

test.each([
  [-5, '0ms'],
  [0, '0ms'],
  [999, '999ms'],
  [1_000, '1s'],
  [1_550, '1.5s'],
  [9_999, '9.9s'],
  [12_900, '12s'],
  [60_000, '1m'],
  [192_000, '3m12s'],
  [3_600_000, '1h'],
  [7_500_000, '2h5m'],
  [86_400_000, '1d'],
  [99 * 3_600_000, '4d3h'],
])('%d ms is %s', (milliseconds, text) => {
  expect(formatSpan(milliseconds)).toBe(text);
});
