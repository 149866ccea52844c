import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sample } from '../random.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { utf8 } from '../wire/bytes.ts';
import type { State } from '../wire/push-pull.ts';
import { Awareness, healthDelta } from './awareness.ts';
import { incompatibility } from './compatibility.ts';
import type { Member } from './member.ts';
import { lan, pushPullDelay, transmitLimit } from './profile.ts';
import { quorumOf, Suspicion, suspicionTerms, suspicionTimeout } from './suspicion.ts';
import { Timers } from './timers.ts';
import { judgeAlive, judgeDead, judgeSuspect } from './verdict.ts';

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0);
const addr = Uint8Array.of(10, 0, 0, 1);

function member(state: State, more: Partial<Member> = {}): Member {
  const base = { name: 'a', addr, port: 1, meta: utf8('m'), incarnation: 5, vsn, since: 0 };
  const found = { hash: 0, isKin: false, suspicion: undefined, revivals: [], slowUntil: 0 };
  return { ...base, ...found, state, ...more };
}

const judge = { name: 'me', isLeaving: false, now: 100_000, deadNodeReclaim: 0 };
const me = member('alive', { name: 'me' });

describe('a claim that a node is alive', () => {
  const claim = { type: 'alive', node: 'a', incarnation: 6, addr, port: 1, meta: utf8('m'), vsn } as const;
  const mine = { ...claim, node: 'me' };
  const moved = { ...claim, port: 2 };

  test.each([
    ['about an unknown node', undefined, claim, judge, 'add'],
    ['newer', member('alive'), claim, judge, 'take'],
    ['as old as what is known', member('alive'), { ...claim, incarnation: 5 }, judge, 'ignore'],
    ['as old as a suspicion', member('suspect'), { ...claim, incarnation: 5 }, judge, 'ignore'],
    ['newer than a suspicion', member('suspect'), claim, judge, 'take'],
    ['newer than a death', member('dead'), claim, judge, 'take'],
    ['with another address, of a live node', member('alive'), moved, judge, 'conflict'],
    ['with another address, of a dead node', member('dead'), moved, judge, 'conflict'],
    [
      'with another address, of a node dead for long',
      member('dead'),
      moved,
      { ...judge, deadNodeReclaim: 99_999 },
      'take',
    ],
    [
      'with another address, of a node dead too shortly',
      member('dead'),
      moved,
      { ...judge, deadNodeReclaim: 100_000 },
      'conflict',
    ],
    ['with another address, of a node that left', member('left'), { ...moved, incarnation: 1 }, judge, 'take'],
    ['with the same address in 16 bytes', member('alive'), { ...claim, addr: new Uint8Array(16) }, judge, 'conflict'],
    ['about this node, older', me, { ...mine, incarnation: 4 }, judge, 'ignore'],
    ['about this node, as it said itself', me, { ...mine, incarnation: 5 }, judge, 'ignore'],
    ['about this node, with another meta', me, { ...mine, incarnation: 5, meta: utf8('x') }, judge, 'refute'],
    [
      'about this node, with other versions',
      me,
      { ...mine, incarnation: 5, vsn: Uint8Array.of(1, 4, 2, 0, 0, 0) },
      judge,
      'refute',
    ],
    ['about this node, newer', me, mine, judge, 'refute'],
    ['about this node while it leaves', me, mine, { ...judge, isLeaving: true }, 'ignore'],
  ] as const)('%s', (_, known, message, by, verdict) => {
    expect(judgeAlive(known, message, by)).toBe(verdict);
  });
});

describe('a claim that a node is suspect', () => {
  const claim = { type: 'suspect', node: 'a', incarnation: 5, from: 'b' } as const;

  test.each([
    ['about an unknown node', undefined, 5, 'ignore'],
    ['older than what is known', member('alive'), 4, 'ignore'],
    ['about a live node', member('alive'), 5, 'suspect'],
    ['about a suspected node', member('suspect'), 5, 'confirm'],
    ['about a dead node', member('dead'), 5, 'ignore'],
    ['about a node that left', member('left'), 9, 'ignore'],
    ['about this node', me, 5, 'refute'],
    ['about this node, older', me, 4, 'ignore'],
  ] as const)('%s', (_, known, incarnation, verdict) => {
    expect(judgeSuspect(known, { ...claim, incarnation }, judge)).toBe(verdict);
  });
});

describe('a claim that a node is dead', () => {
  test.each([
    ['about an unknown node', undefined, 5, 'b', judge, 'ignore'],
    ['older than what is known', member('alive'), 4, 'b', judge, 'ignore'],
    ['about a live node', member('alive'), 5, 'b', judge, 'dead'],
    ['about a suspected node', member('suspect'), 5, 'b', judge, 'dead'],
    ['about a live node, by itself', member('alive'), 5, 'a', judge, 'left'],
    ['about a dead node, by itself', member('dead'), 9, 'a', judge, 'ignore'],
    ['about this node', me, 5, 'b', judge, 'refute'],
    ['about this node while it leaves', me, 5, 'b', { ...judge, isLeaving: true }, 'dead'],
  ] as const)('%s', (_, known, incarnation, from, by, verdict) => {
    const node = known?.name ?? 'a';
    expect(judgeDead(known, { type: 'dead', node, incarnation, from }, by)).toBe(verdict);
  });
});

describe('suspicions', () => {
  // The table of memberlist's TestSuspicion_remainingSuspicionTime: 3 confirmations, 2 s to 30 s.
  test.each([
    [0, 30_000],
    [1, 16_000],
    [2, 7810],
    [3, 2000],
    [4, 2000],
  ])('%i confirmations of 3: %i ms', (confirmed, span) => {
    expect(suspicionTimeout({ confirmations: 3, min: 2000, max: 30_000 }, confirmed)).toBe(span);
  });

  test.each([
    [1, 0, 4000],
    [3, 0, 4000],
    [4, 2, 4000],
    [10, 2, 4000],
    [100, 2, 8000],
    [1000, 2, 12_000],
  ])('in a cluster of %i: %i confirmations, at least %i ms', (nodes, confirmations, min) => {
    expect(suspicionTerms(lan, nodes)).toEqual({ confirmations, min, max: 6 * min });
  });

  test('without possible confirmations a suspicion lasts for the shortest time', () => {
    expect(new Suspicion({ confirmations: 0, min: 10, max: 60 }, 'a', 5).deadline).toBe(15);
  });

  describe('of nodes that look for themselves', () => {
    const terms = { confirmations: 2, min: 2000, max: 12_000, quorum: { accusers: 3, hold: 1000, refusedHold: 300 } };
    const by = (...accusers: readonly string[]): Suspicion => {
      const suspicion = new Suspicion(terms, 'a', 100);
      for (const each of accusers) suspicion.confirm(each);
      return suspicion;
    };

    test.each([
      ['too few', by(), 12_100],
      ['one too few', by('b'), Math.floor(12_000 - (Math.log(2) / Math.log(3)) * 10_000) + 100],
      ['enough', by('b', 'c'), 1100],
    ])('%s agree', (_, suspicion, deadline) => {
      expect(suspicion.deadline).toBe(deadline);
    });

    test('the process refuses connections: only with enough accusers it ends sooner', () => {
      const suspicion = by('b');
      suspicion.isRefused = true;
      expect(suspicion.deadline).toBeGreaterThan(2000);
      suspicion.confirm('c');
      expect([suspicion.deadline, suspicion.isBy('c'), suspicion.isBy('d')]).toEqual([400, true, false]);
    });

    test('time in which this process did not run does not count', () => {
      const suspicion = by('b', 'c');
      suspicion.postpone(5000);
      expect(suspicion.deadline).toBe(6100);
    });

    test.each([
      [1, 1],
      [2, 2],
      [4, 3],
      [8, 5],
    ])('of %i observers %i have to agree', (observers, accusers) => {
      expect(quorumOf(observers)).toBe(accusers);
    });
  });

  test('an accuser counts once, and not beyond what is needed', () => {
    const suspicion = new Suspicion({ confirmations: 2, min: 10, max: 60 }, 'a', 0);
    expect(['a', 'b', 'b', 'c', 'd'].map((each) => suspicion.confirm(each))).toEqual([false, true, false, true, false]);
    expect(suspicion.deadline).toBe(10);
  });
});

test('health stays between 0 and its bound', () => {
  const awareness = new Awareness(8);
  const scores = [-1, 3, 9, -1, -20].map((delta) => {
    awareness.add(delta);
    return [awareness.score, awareness.scale(100)];
  });
  expect(scores).toEqual([
    [0, 100],
    [3, 400],
    [7, 800],
    [6, 700],
    [0, 100],
  ]);
});

test.each([
  ['answered', 3, 0, -1],
  ['silent', 0, 0, 1],
  ['silent', 3, 1, 2],
  ['silent', 3, 3, 0],
  ['silent', 3, 4, 0],
] as const)(
  'a probe that was %s, with %i nacks expected and %i seen, changes health by %i',
  (outcome, expected, seen, delta) => {
    expect(healthDelta(outcome, expected, seen)).toBe(delta);
  },
);

test.each([
  [1, 4],
  [9, 4],
  [10, 8],
  [99, 8],
  [100, 12],
])('in a cluster of %i a message is sent %i times', (nodes, times) => {
  expect(transmitLimit(4, nodes)).toBe(times);
});

test.each([
  [32, 1],
  [33, 2],
  [64, 2],
  [65, 3],
  [128, 3],
])('in a cluster of %i push/pulls are %i intervals apart', (nodes, times) => {
  expect(pushPullDelay(1000, nodes)).toBe(times * 1000);
});

describe('versions', () => {
  const node = (name: string, bytes: number[], state: State = 'alive') => ({
    name,
    state,
    vsn: Uint8Array.from(bytes),
  });
  const serf = node('serf', [1, 5, 2, 2, 5, 5]);

  test.each([
    ['alike', [serf, node('b', [1, 5, 2, 2, 5, 5])], undefined],
    [
      'of no application',
      [serf, node('b', [1, 5, 2, 0, 0, 0])],
      'node serf speaks version 5 of the delegate protocol; all nodes understand 2 to 0',
    ],
    [
      'too old',
      [serf, node('b', [1, 1, 1, 2, 5, 5])],
      'node serf speaks version 2 of the protocol protocol; all nodes understand 1 to 1',
    ],
    ['of a dead node', [serf, node('b', [1, 5, 2, 0, 0, 0], 'dead')], undefined],
  ])('%s', (_, nodes, why) => {
    expect(incompatibility(nodes)).toBe(why);
  });
});

test('timers fire in order of time, then of arming', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean())), (all) => {
      const timers = new Timers();
      const fired: number[] = [];
      const armed = all.map(([at, isCancelled], i) => ({
        at,
        i,
        isCancelled,
        timer: timers.at(at, () => fired.push(i)),
      }));
      for (const { isCancelled, timer } of armed) timer.isCancelled = isCancelled;
      const live = armed.filter(({ isCancelled }) => !isCancelled).sort((a, b) => a.at - b.at || a.i - b.i);
      expect(timers.next).toBe(live[0]?.at);
      for (let timer = timers.due(15); timer !== undefined; timer = timers.due(15)) timer.fire();
      expect(fired).toEqual(live.filter(({ at }) => at <= 15).map(({ i }) => i));
    }),
  );
});

test('a sample has different eligible items, and all of them where there are few', () => {
  fc.assert(
    fc.property(fc.nat(30), fc.nat(10), fc.nat(), (length, wanted, seed) => {
      const items = Array.from({ length }, (_, i) => i);
      const chosen = sample(items, wanted, new SeededRandom(seed), (each) => each % 2 === 0);
      expect(chosen.every((each) => each % 2 === 0)).toBe(true);
      expect(new Set(chosen).size).toBe(Math.min(wanted, Math.ceil(length / 2)));
    }),
  );
});
