import type { ClusterId } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import type { LeaderRecord } from '../store/view.ts';
import {
  deadline,
  type ElectionFacts,
  type ElectionState,
  type ElectionStep,
  isSame,
  type Leadership,
  leadershipOf,
  nextStep,
  stateAtStart,
  toWatch,
} from './leadership.ts';

const ttl = seconds(3);
const leading: ElectionState = { kind: 'leading', term: 7n, renewed: 10_000, ttl };
const standby: ElectionState = { kind: 'standby' };
const known = 3;
const led = (term: bigint): LeaderRecord => ({ name: 'm1', address: '192.0.2.1:7443', since: 0, term });
const sees = (leader: LeaderRecord | undefined, revision = 20n, schema = known): ElectionFacts => ({
  revision,
  leader,
  cluster: { id: '00000000000000c1' as ClusterId, epoch: 1n, schema, revision: 2n },
});

interface Case {
  readonly name: string;
  readonly state: ElectionState;
  readonly facts: ElectionFacts;
  readonly now: number;
  readonly step: ElectionStep;
}

const cases: readonly Case[] = [
  { name: 'nothing seen yet: watch', state: standby, facts: sees(undefined, 0n), now: 0, step: { kind: 'watch' } },
  { name: 'a manager leads: watch', state: standby, facts: sees(led(5n)), now: 0, step: { kind: 'watch' } },
  { name: 'no manager leads: campaign', state: standby, facts: sees(undefined), now: 0, step: { kind: 'campaign' } },
  {
    name: 'the term of a process that is gone: end it, and campaign',
    state: { kind: 'standby', over: 5n },
    facts: sees({ ...led(5n), lease: 77n }),
    now: 0,
    step: { kind: 'campaign', ends: 77n },
  },
  {
    name: 'another leads since: watch',
    state: { kind: 'standby', over: 5n },
    facts: sees({ ...led(9n), lease: 78n }),
    now: 0,
    step: { kind: 'watch' },
  },
  {
    name: 'the term of a process that is gone, of a version that names no lease: watch',
    state: { kind: 'standby', over: 5n },
    facts: sees(led(5n)),
    now: 0,
    step: { kind: 'watch' },
  },
  {
    name: 'the term of a process that is gone, and the records are too new: watch',
    state: { kind: 'standby', over: 5n },
    facts: sees({ ...led(5n), lease: 77n }, 20n, known + 1),
    now: 0,
    step: { kind: 'watch' },
  },
  {
    name: 'the process that led is gone, and its term has ended: campaign',
    state: { kind: 'standby', over: 5n },
    facts: sees(undefined),
    now: 0,
    step: { kind: 'campaign' },
  },
  {
    name: 'fresh: wait a sixth',
    state: leading,
    facts: sees(led(7n)),
    now: 10_000,
    step: { kind: 'wait', span: seconds(0.5) },
  },
  {
    name: 'a sixth gone: renew until the deadline',
    state: leading,
    facts: sees(led(7n)),
    now: 10_500,
    step: { kind: 'renew', within: seconds(1.5) },
  },
  {
    name: 'two thirds gone: resign',
    state: leading,
    facts: sees(led(7n)),
    now: 12_000,
    step: { kind: 'resign', reason: 'lease-may-end' },
  },
  {
    name: 'a view that is behind says nothing',
    state: leading,
    facts: sees(undefined, 6n),
    now: 10_200,
    step: { kind: 'wait', span: seconds(0.3) },
  },
  {
    name: 'the view has just reached the term, and the key is gone already: resign',
    state: leading,
    facts: sees(undefined, 7n),
    now: 10_000,
    step: { kind: 'resign', reason: 'deposed' },
  },
  {
    name: 'another leads: resign',
    state: leading,
    facts: sees(led(9n)),
    now: 10_000,
    step: { kind: 'resign', reason: 'deposed' },
  },
  {
    name: 'the key is gone: resign',
    state: leading,
    facts: sees(undefined),
    now: 10_000,
    step: { kind: 'resign', reason: 'deposed' },
  },
  {
    name: 'no manager leads, and the records are too new: watch',
    state: standby,
    facts: sees(undefined, 20n, known + 1),
    now: 0,
    step: { kind: 'watch' },
  },
  {
    name: 'the records became too new: resign',
    state: leading,
    facts: sees(led(7n), 20n, known + 1),
    now: 10_000,
    step: { kind: 'resign', reason: 'outdated' },
  },
  {
    name: 'older records are no obstacle',
    state: standby,
    facts: sees(undefined, 20n, known - 1),
    now: 0,
    step: { kind: 'campaign' },
  },
];

describe('nextStep', () => {
  test.each(cases)('$name', ({ state, facts, now, step }) => {
    expect(nextStep(state, facts, now, known)).toEqual(step);
  });

  test('the deadline is before the lease can have ended', () => {
    expect(deadline({ renewed: 10_000, ttl })).toBe(12_000);
  });
});

describe('a manager and the leader key of the store', () => {
  const self = { name: 'm1', address: '192.0.2.1:7443' };
  const own = led(7n);
  const renamed = { ...own, name: 'm9' };
  const moved = { ...own, address: '192.0.2.9:7443' };
  const other = { ...own, name: 'm2', address: '192.0.2.2:7443' };
  const named = (leader: LeaderRecord): Leadership => ({
    role: 'follower',
    leader: { name: leader.name, address: leader.address },
  });

  test.each<[string, LeaderRecord | undefined, ElectionState]>([
    ['no leader', undefined, standby],
    ['a former process of this manager', own, { kind: 'standby', over: 7n }],
    ['another manager', other, standby],
    ['another manager of this name', moved, standby],
    ['another manager at this address', renamed, standby],
  ])('at the start, %s', (_, leader, state) => expect(stateAtStart(leader, self)).toEqual(state));

  test.each<[string, ElectionState, LeaderRecord | undefined, LeaderRecord | undefined, Leadership]>([
    ['no leader', standby, undefined, undefined, { role: 'follower' }],
    ['another manager leads', standby, other, other, named(other)],
    ['a key of a term that it no longer leads', standby, own, undefined, { role: 'follower' }],
    ['this manager leads', leading, own, undefined, { role: 'leader', term: 7n }],
    ['this manager leads, which the view does not say yet', leading, other, undefined, { role: 'leader', term: 7n }],
  ])('%s: which process is watched, and what is published', (_, state, leader, watched, published) => {
    expect(toWatch(state, leader, self)).toBe(watched);
    expect(leadershipOf(state, leader, self)).toEqual(published);
  });

  test.each<[Leadership, Leadership, boolean]>([
    [{ role: 'leader', term: 7n }, { role: 'leader', term: 7n }, true],
    [{ role: 'leader', term: 7n }, { role: 'leader', term: 8n }, false],
    [{ role: 'leader', term: 7n }, { role: 'follower' }, false],
    [{ role: 'follower' }, { role: 'leader', term: 7n }, false],
    [{ role: 'follower' }, { role: 'follower' }, true],
    [{ role: 'follower' }, named(other), false],
    [named(other), named({ ...other, name: 'm3' }), false],
    [named(other), named({ ...other, address: '192.0.2.3:7443' }), false],
    [named(other), named({ ...other }), true],
  ])('%o is the same as %o: %s', (a, b, same) => expect(isSame(a, b)).toBe(same));
});
