import { seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { majorityLost, type Standing, standingOf } from './majority.ts';
import { status } from './testing/samples.ts';
import { standbys } from './testing/worlds.ts';

type Member = 'leads' | 'follows' | 'leaderless' | 'silent';

/** What a standby manager reports when the etcd members are in these states. */
function seen(...members: readonly Member[]) {
  const [sample] = status.store?.members ?? [];
  if (sample === undefined) throw new Error('the sample has no member');
  const all = members.map((as) => ({
    ...sample,
    healthy: as === 'leads' || as === 'follows',
    leader: as === 'leads',
    revision: as === 'silent' ? 0n : 42n,
  }));
  return { managers: standbys, store: { members: all, revision: 42n } };
}

const unknown = { managers: standbys };

describe('standingOf', () => {
  test.each<[string, readonly Parameters<typeof standingOf>[0][number][], Standing]>([
    ['all members are well', [seen('leads', 'follows', 'follows')], 'there'],
    ['one member of three is away', [seen('leads', 'follows', 'silent')], 'there'],
    ['only a follower answers in time: it has a leader', [seen('silent', 'follows', 'silent')], 'there'],
    ['enough members to elect a leader', [seen('leaderless', 'leaderless', 'silent')], 'electing'],
    ['too few members', [seen('leaderless', 'silent', 'silent')], 'lost'],
    ['no member', [seen('silent', 'silent', 'silent')], 'silent'],
    ['nothing known of the members', [unknown], 'silent'],
    ['a manager that holds its lease', [{ ...seen('silent', 'silent', 'silent'), managers: status.managers }], 'there'],
    [
      'another manager reaches them',
      [seen('leaderless', 'silent', 'silent'), seen('leads', 'follows', 'silent')],
      'there',
    ],
    ['no manager that answers', [], 'there'],
  ])('%s', (_, reports, standing) => {
    expect(standingOf(reports)).toBe(standing);
  });
});

describe('majorityLost', () => {
  const lost = seen('leaderless', 'silent', 'silent');

  async function when(...looks: readonly (readonly Parameters<typeof standingOf>[0][number][])[]) {
    const clock = new FakeClock();
    const over = new AbortController();
    let i = 0;
    const look = async () => looks[Math.min(i++, looks.length - 1)] ?? [];
    const found = majorityLost({ look, clock }, over.signal).then((problem) => ({ problem, at: clock.now() }));
    await clock.advance(seconds(20));
    over.abort();
    return await found;
  }

  test('says so within two seconds where it is certain', async () => {
    const { problem, at } = await when([lost]);
    expect(problem).toMatchObject({
      code: 'store-unavailable',
      message: 'etcd has no majority: 0 of 3 members are healthy, and 2 are needed',
    });
    expect(at).toBeLessThan(2_000);
  });

  test.each([
    ['an election of etcd', 4_000, [seen('leaderless', 'leaderless', 'silent')]],
    ['the restart of the only member', 2_000, [seen('silent')]],
  ])('waits for %s', async (_, span, reports) => {
    expect((await when(reports)).at).toBeGreaterThan(span);
    expect((await when(reports, reports, [seen('leads')])).problem).toBeUndefined();
  });

  test('finds nothing where no manager answers: that is said by the command itself', async () => {
    expect((await when([])).problem).toBeUndefined();
  });
});
