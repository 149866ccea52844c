import type { ClusterId } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import type { LeaderRecord } from '../store/view.ts';
import { deadline, type ElectionFacts, type ElectionState, type ElectionStep, nextStep } from './leadership.ts';

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
    name: 'fresh: wait a third',
    state: leading,
    facts: sees(led(7n)),
    now: 10_000,
    step: { kind: 'wait', span: seconds(1) },
  },
  {
    name: 'a third gone: renew until the deadline',
    state: leading,
    facts: sees(led(7n)),
    now: 11_000,
    step: { kind: 'renew', within: seconds(1) },
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
    now: 10_500,
    step: { kind: 'wait', span: seconds(0.5) },
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
