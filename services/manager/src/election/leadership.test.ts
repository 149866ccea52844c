import type { ClusterId } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import type { LeaderRecord } from '../store/view.ts';
import { deadline, nextStep, type Sight, type Standing, type Step } from './leadership.ts';

const ttl = seconds(3);
const leading: Standing = { kind: 'leading', term: 7n, renewed: 10_000, ttl };
const standby: Standing = { kind: 'standby' };
const known = 3;
const led = (term: bigint): LeaderRecord => ({ name: 'm1', address: '192.0.2.1:7443', since: 0, term });
const sees = (leader: LeaderRecord | undefined, revision = 20n, schema = known): Sight => ({
  revision,
  leader,
  cluster: { id: '00000000000000c1' as ClusterId, epoch: 1n, schema, revision: 2n },
});

interface Case {
  readonly name: string;
  readonly standing: Standing;
  readonly sight: Sight;
  readonly now: number;
  readonly step: Step;
}

const cases: readonly Case[] = [
  { name: 'nothing seen yet: watch', standing: standby, sight: sees(undefined, 0n), now: 0, step: { kind: 'watch' } },
  { name: 'somebody leads: watch', standing: standby, sight: sees(led(5n)), now: 0, step: { kind: 'watch' } },
  { name: 'nobody leads: campaign', standing: standby, sight: sees(undefined), now: 0, step: { kind: 'campaign' } },
  {
    name: 'fresh: wait a third',
    standing: leading,
    sight: sees(led(7n)),
    now: 10_000,
    step: { kind: 'wait', span: seconds(1) },
  },
  {
    name: 'a third gone: renew until the deadline',
    standing: leading,
    sight: sees(led(7n)),
    now: 11_000,
    step: { kind: 'renew', within: seconds(1) },
  },
  {
    name: 'two thirds gone: resign',
    standing: leading,
    sight: sees(led(7n)),
    now: 12_000,
    step: { kind: 'resign', reason: 'lease-may-end' },
  },
  {
    name: 'a view that is behind says nothing',
    standing: leading,
    sight: sees(undefined, 6n),
    now: 10_500,
    step: { kind: 'wait', span: seconds(0.5) },
  },
  {
    name: 'another leads: resign',
    standing: leading,
    sight: sees(led(9n)),
    now: 10_000,
    step: { kind: 'resign', reason: 'deposed' },
  },
  {
    name: 'the key is gone: resign',
    standing: leading,
    sight: sees(undefined),
    now: 10_000,
    step: { kind: 'resign', reason: 'deposed' },
  },
  {
    name: 'nobody leads, and the records are too new: watch',
    standing: standby,
    sight: sees(undefined, 20n, known + 1),
    now: 0,
    step: { kind: 'watch' },
  },
  {
    name: 'the records became too new: resign',
    standing: leading,
    sight: sees(led(7n), 20n, known + 1),
    now: 10_000,
    step: { kind: 'resign', reason: 'outdated' },
  },
  {
    name: 'older records are no obstacle',
    standing: standby,
    sight: sees(undefined, 20n, known - 1),
    now: 0,
    step: { kind: 'campaign' },
  },
];

describe('nextStep', () => {
  test.each(cases)('$name', ({ standing, sight, now, step }) => {
    expect(nextStep(standing, sight, now, known)).toEqual(step);
  });

  test('the deadline is before the lease can have ended', () => {
    expect(deadline({ renewed: 10_000, ttl })).toBe(12_000);
  });
});
