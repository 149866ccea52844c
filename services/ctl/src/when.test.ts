import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoTime } from './render/time.ts';
import { parseMoment, unixTime } from './when.ts';

const now = Date.UTC(2026, 10, 24, 12);

test.each([
  ['2h', now - 7_200_000],
  ['90s', now - 90_000],
  ['2026-11-24T11:59:03Z', now - 57_000],
  ['2026-11-24T11:59:03.250Z', now - 56_750],
  ['2026-11-24t13:00:00+01:00', now],
  ['2026-11-24 07:30:00-04:30', now],
  ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
])('%s', (text, expected) => {
  expect(unixTime(parseMoment('--since')(text), now)).toBe(expected);
});

test.each([
  '',
  'yesterday',
  '12',
  '2026-11-24',
  '2026-11-24T12:00:00',
  '2026-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-11-24T24:00:00Z',
])('not a time: "%s"', (text) => {
  expect(() => parseMoment('--since')(text)).toThrow(/neither a span such as 2h nor a time/);
});

test('a time that is printed is read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Date.UTC(9999, 11, 31) }), (time) => {
      expect(unixTime(parseMoment('--since')(isoTime(time)), now)).toBe(time);
    }),
  );
});
