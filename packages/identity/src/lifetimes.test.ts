import { milliseconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backdating, checkClock, checkNodeLife, isHalfOver, isPassing, passingLife, renewalTime } from './lifetimes.ts';
import { agent, authorityOf, credentialOf, day, hour, now, second } from './testing/fixtures.ts';
import { outcome } from './testing/outcome.ts';

describe('the life of certificates', () => {
  test.each([
    [hour, 'accepted'],
    [30 * day, 'accepted'],
    [90 * day, 'accepted'],
    [hour - 1, 'invalid-argument: a certificate may live from 1h to 2160h; 3599999ms is outside'],
    [90 * day + 1, 'invalid-argument'],
    [0, 'invalid-argument'],
  ])('%d ms: %s', (life, said) => expect(outcome(checkNodeLife(milliseconds(life)))).toContain(said));
});

test('renewal is due at 50 to 80 % of the life, spread over the whole of it', () => {
  const [certificate] = credentialOf(authorityOf(1), agent).chain;
  const life = certificate.notAfter - certificate.notBefore;
  const random = new SeededRandom(9);
  const parts = Array.from({ length: 1_000 }, () => (renewalTime(certificate, random) - certificate.notBefore) / life);
  expect(Math.min(...parts)).toBeGreaterThanOrEqual(0.5);
  expect(Math.max(...parts)).toBeLessThan(0.8);
  for (const from of [0.5, 0.6, 0.7])
    expect(parts.filter((part) => part >= from && part < from + 0.1).length).toBeGreaterThan(250);
});

test('a renewal is never due before the certificate was issued, nor after it expired', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: hour, max: 90 * day }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (life, chance) => {
        const due = renewalTime(
          { notBefore: now - 600 * second, notAfter: now + life },
          { float: () => chance, bytes: () => new Uint8Array() },
        );
        expect(due).toBeGreaterThan(now);
        expect(due).toBeLessThan(now + life);
      },
    ),
  );
});

describe('a clock', () => {
  test.each([
    ['equal', 0, 'accepted'],
    ['a little ahead', 5 * 60 * second, 'accepted'],
    ['a little behind', -5 * 60 * second, 'accepted'],
    [
      'an hour ahead',
      hour,
      'clock-wrong: the clock of this host is 60 minutes ahead of the manager’s (2026-11-27T01:00:00Z here, 2026-11-27T00:00:00Z there); set the clocks of all hosts by NTP',
    ],
    [
      'an hour behind',
      -hour,
      'clock-wrong: the clock of this host is 60 minutes behind the manager’s (2026-11-26T23:00:00Z here',
    ],
  ])('%s', (_, off, said) => expect(outcome(checkClock(now + off, now))).toContain(said.replace('’', "'")));
});

test('programs learn how far a clock is off', () => {
  const checked = checkClock(now - hour, now);
  expect(checked.ok ? {} : checked.error.data).toEqual({ offsetSeconds: -3_600 });
});

test('a certificate that was made without the store is renewed at once; none from the store is so short', () => {
  const passing = { notBefore: 0, notAfter: backdating + passingLife };
  expect([isPassing(passing), isHalfOver(passing, 1), renewalTime(passing, new SeededRandom(1))]).toEqual([
    true,
    true,
    0,
  ]);
  expect(isPassing({ notBefore: 0, notAfter: backdating + hour })).toBe(false);
});
