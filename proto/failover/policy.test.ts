import { milliseconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { nextStep, order, type Policy, type Progress, type Step, silenceRemembered } from './policy.ts';

describe('order', () => {
  it.each<[string, string, Record<string, number>, string]>([
    ['as given', 'm1', {}, 'm1 m2 m3'],
    ['the preferred one first', 'm3', {}, 'm3 m1 m2'],
    ['one that a leader was said to be at, known or not', 'm9', {}, 'm9 m1 m2 m3'],
    ['a silent one last, preferred or not', 'm1', { m1: 900 }, 'm2 m3 m1'],
    ['of two silent ones the longer silent first', 'm1', { m1: 950, m2: 900 }, 'm3 m2 m1'],
    ['all silent', 'm1', { m1: 3, m2: 2, m3: 1 }, 'm3 m2 m1'],
    ['silence of long ago counts no more', 'm1', { m1: 1_000 - silenceRemembered }, 'm1 m2 m3'],
  ])('%s', (_, preferred, silent, servers) => {
    const memory = { preferred, silent: new Map(Object.entries(silent)) };
    expect(order(['m1', 'm2', 'm3'], memory, 1_000).join(' ')).toBe(servers);
  });
});

describe('nextStep', () => {
  const read: Policy = { hedgeAfter: milliseconds(300) };
  const patient: Policy = {};
  const hasty: Policy = { ...read, endWhenRefused: milliseconds(800) };

  /**
   * A call that began at 0 and may last 5 s. `m1@0`: the try at m1 is under way since 0; `m2!`: m2's try ended
   * unanswered.
   */
  const call = (tries: string, more: Partial<Progress> = {}): Progress => {
    const words = tries.split(' ').filter((word) => word !== '');
    const underWay = words.flatMap((word) => (word.includes('@') ? [word.split('@') as [string, string]] : []));
    return {
      began: 0,
      deadline: 5_000,
      underWay: new Map(underWay.map(([server, since]) => [server, Number(since)])),
      asked: new Set(words.map((word) => word.replace(/[@!].*/, ''))),
      ...more,
    };
  };
  const words = (step: Step): string => {
    if (step.step === 'ask') return `ask ${step.server}`;
    if (step.step === 'wait') return `wait until ${step.until}`;
    return step.step === 'end' ? `end: ${step.why}` : step.step;
  };

  it.each<[string, Progress, Policy, number, string]>([
    ['begins with the first', call(''), read, 0, 'ask m1'],
    ['gives it a moment', call('m1@0'), read, 100, 'wait until 300'],
    ['then asks the second beside it', call('m1@0'), read, 300, 'ask m2'],
    ['and the third beside both', call('m1@0 m2@300'), read, 600, 'ask m3'],
    ['waits when all are asked', call('m1@0 m2@300 m3@600'), read, 900, 'wait until 5000'],
    ['never waits beyond the deadline', call('m1@4900'), read, 4_950, 'wait until 5000'],
    ['asks the next at once when one cannot serve', call('m1!', { lastEnd: 5 }), read, 5, 'ask m2'],
    ['a call that may take long is asked of one', call('m1@0'), patient, 4_000, 'wait until 5000'],
    ['pauses when none can serve', call('m1! m2! m3!', { lastEnd: 50 }), read, 60, 'wait until 150'],
    ['and begins anew', call('m1! m2! m3!', { lastEnd: 50 }), read, 150, 'next-round'],
    [
      'those that answered are asked again while one hangs',
      call('m1@0 m2! m3!', { lastEnd: 400 }),
      read,
      500,
      'next-round',
    ],
    ['each at once, the one that hangs being overdue', call('m1@0'), read, 500, 'ask m2'],
    ['ends at its deadline', call('m1@0'), read, 5_000, 'end: deadline'],
    ['ends soon when all refuse', call('m1! m2! m3!', { refusedSince: 10 }), hasty, 810, 'end: refused'],
    ['not before', call('m1! m2! m3!', { refusedSince: 10, lastEnd: 800 }), hasty, 805, 'wait until 900'],
    [
      'and only where that was asked for',
      call('m1! m2! m3!', { refusedSince: 10, lastEnd: 800 }),
      read,
      900,
      'next-round',
    ],
  ])('%s', (_, progress, policy, now, step) => {
    expect(words(nextStep(['m1', 'm2', 'm3'], progress, policy, now))).toBe(step);
  });
});
