import { describe, expect, test } from 'vitest';
import type { Entry, Outcome } from './load/journal.ts';
import type { Revision } from './record/revision.ts';
import { judge, type Verdict } from './verdict.ts';

const ip = '10.0.0.2';
const held = [`n ${ip}`];
const done: Outcome = { kind: 'done', held };
const unknown: Outcome = { kind: 'unknown', code: 'timed-out' };
const refused = (code: string): Outcome => ({ kind: 'refused', code });

const claim = (name: string, call: number, outcome: Outcome): Entry => ({
  act: 'claim',
  name,
  call,
  end: call + 1,
  outcome,
});
const release = (name: string, call: number, outcome: Outcome): Entry => ({
  ...claim(name, call, outcome),
  act: 'release',
});

const born = (revision: number, name: string): Revision => {
  const record = JSON.stringify({ id: name, name, network: 'n', node: 'h', addresses: [`${ip}/24`] });
  return {
    revision,
    puts: [
      [`endpoint/n/${name}`, record],
      [`addr/n/${ip}`, name],
    ],
    deletes: [],
  };
};
const gone = (revision: number, name: string): Revision => {
  return { revision, puts: [], deletes: [`endpoint/n/${name}`, `addr/n/${ip}`] };
};
const rested = 100;

const clean: Verdict = { notLinearizable: [], inconsistent: [], lost: [], leaked: [], unexplained: [] };
const some = (...matching: readonly RegExp[]) => matching.map((one) => expect.stringMatching(one));

describe('a run', () => {
  test.each<
    [string, readonly Entry[], readonly Revision[], readonly Revision[], Partial<Record<keyof Verdict, unknown>>]
  >([
    [
      'claimed, released, claimed again',
      [claim('a', 0, done), release('a', 2, done), claim('b', 4, done), release('b', 101, done)],
      [born(1, 'a'), gone(2, 'a'), born(3, 'b')],
      [gone(4, 'b')],
      {},
    ],
    [
      'a claim nobody heard of, cleaned at the end',
      [claim('a', 0, unknown), release('a', 101, done)],
      [born(1, 'a')],
      [gone(2, 'a')],
      {},
    ],
    ['a claim nobody heard of that never was', [claim('a', 0, unknown)], [], [], {}],
    [
      'a release nobody heard of, and then another claim',
      [claim('a', 0, done), release('a', 2, unknown), claim('b', 9, done), release('b', 101, done)],
      [born(1, 'a'), gone(2, 'a'), born(3, 'b')],
      [gone(4, 'b')],
      {},
    ],
    [
      'refusals that contention explains',
      [claim('a', 0, refused('address-in-use')), claim('b', 0, refused('pool-exhausted'))],
      [],
      [],
      {},
    ],
    [
      'an acknowledged claim that is not there',
      [claim('a', 0, done)],
      [],
      [],
      { lost: some(/claim a was acknowledged/), notLinearizable: some(/read nobody/) },
    ],
    [
      'one that was, and vanished by itself',
      [claim('a', 0, done)],
      [born(1, 'a'), gone(2, 'a')],
      [],
      { lost: some(/claim a/), notLinearizable: some(/read nobody/) },
    ],
    [
      'one that vanished before its release',
      [claim('a', 0, done), release('a', 9, refused('endpoint-unknown'))],
      [born(1, 'a'), gone(2, 'a')],
      [],
      { notLinearizable: some(/absent a/) },
    ],
    [
      'an address given to two',
      [claim('a', 0, done), claim('b', 2, done)],
      [born(1, 'a'), born(2, 'b')],
      [gone(3, 'a'), { revision: 4, puts: [], deletes: ['endpoint/n/b'] }],
      {
        notLinearizable: some(/claim b/),
        inconsistent: some(
          /goes from a to b/,
          /held by a and b/,
          /held by a and claimed by b/,
          /held by b and claimed by nobody/,
        ),
      },
    ],
    [
      'a refused claim that is there all the same',
      [claim('a', 0, refused('address-in-use'))],
      [born(1, 'a')],
      [gone(2, 'a')],
      { leaked: some(/no claim made it/) },
    ],
    [
      'a name that stays',
      [claim('a', 0, done), release('a', 101, done)],
      [born(1, 'a'), { revision: 2, puts: [['endpoint-name/n/a', 'a']], deletes: [] }],
      [gone(3, 'a')],
      { leaked: some(/endpoint-name\/n\/a is claimed by a/) },
    ],
    [
      'an endpoint that outlives its release',
      [claim('a', 0, done), release('a', 101, done)],
      [born(1, 'a')],
      [],
      { leaked: some(/a is left after/) },
    ],
    [
      'a claim refused for its own name',
      [claim('a', 0, refused('name-taken'))],
      [],
      [],
      { unexplained: some(/claim of a was answered name-taken/) },
    ],
  ])('%s', (_, journal, before, cleaned, wrong) => {
    expect(judge({ journal, before, rested, cleaned })).toEqual({ ...clean, ...wrong });
  });
});
