import { describe, expect, test } from 'vitest';
import type { MemberInfo } from '../swim/member.ts';
import type { State } from '../wire/push-pull.ts';
import { serfDefaults } from './profile.ts';
import { Roster } from './roster.ts';
import { encodeTags } from './tags.ts';

const address = { addr: Uint8Array.of(10, 0, 0, 1), port: 7946 };

function info(name: string, state: State = 'alive', tags = {}): MemberInfo {
  const vsn = Uint8Array.of(1, 5, 2, 2, 5, 5);
  return { name, ...address, meta: encodeTags(tags), incarnation: 1, state, vsn };
}

type Act = (roster: Roster) => unknown;
const joined: Act = (roster) => roster.joined(info('n'));
const gone: Act = (roster) => roster.gone(info('n', 'dead'), 1000);
const goneByItself: Act = (roster) => roster.gone(info('n', 'left'), 1000);
const join =
  (lTime: number): Act =>
  (roster) =>
    roster.joinIntent({ lTime, node: 'n' }, 500);
const leave =
  (lTime: number, prune = false): Act =>
  (roster) =>
    roster.leaveIntent({ lTime, node: 'n', prune }, 'me', 500);
const reapAt =
  (now: number): Act =>
  (roster) =>
    roster.reap(now);

const day = 24 * 3_600_000;

/** [what happens, what the last of it returned, the status then, what was told] */
test.each<[string, readonly Act[], unknown, string | undefined, string]>([
  ['a node that dies has failed', [joined, gone], undefined, 'failed', 'join failed'],
  ['a node that said so leaves', [joined, leave(1), gone], undefined, 'left', 'join leave'],
  ['a node that left without serf’s message left too', [joined, goneByItself], undefined, 'left', 'join leave'],
  ['a leave is passed on', [joined, leave(1)], 'pass', 'leaving', 'join'],
  ['the same leave again is not', [joined, leave(1), leave(1)], 'drop', 'leaving', 'join'],
  ['a later leave is passed on once', [joined, leave(1), leave(2)], 'pass', 'leaving', 'join'],
  ['a leave from before a join is old', [joined, join(5), leave(4)], 'drop', 'alive', 'join'],
  ['a join after a leave takes it back', [joined, leave(1), join(2)], 'pass', 'alive', 'join'],
  ['a join from before a leave does not', [joined, leave(3), join(2)], 'drop', 'leaving', 'join'],
  ['a node that failed can be declared to have left', [joined, gone, leave(1)], 'pass', 'left', 'join failed leave'],
  ['… and be forgotten at once', [joined, gone, leave(1, true)], 'pass', undefined, 'join failed leave reap'],
  ['a live node is not forgotten', [joined, leave(1, true)], 'pass', 'leaving', 'join'],
  ['… until the node is gone', [joined, leave(1, true), gone], undefined, undefined, 'join leave reap'],
  ['… nor once it joined again', [joined, leave(1, true), join(2), leave(3), gone], undefined, 'left', 'join leave'],
  ['a node that left is forgotten', [joined, leave(1), gone, leave(2, true)], 'pass', undefined, 'join leave reap'],
  ['a node that comes back is alive', [joined, gone, joined], undefined, 'alive', 'join failed join'],
  ['a death is told once', [joined, gone, gone], undefined, 'failed', 'join failed'],
  ['news may come before the node', [leave(3), joined], undefined, 'leaving', 'join'],
  ['… the latest counts', [leave(3), join(4), joined], undefined, 'alive', 'join'],
  ['… and old news then is old', [join(4), joined, leave(4)], 'drop', 'alive', 'join'],
  ['news of an unknown node is passed on once', [leave(3), leave(3)], 'drop', undefined, ''],
  ['a node that failed is kept for a day', [joined, gone, reapAt(day)], undefined, 'failed', 'join failed'],
  ['… and no longer', [joined, gone, reapAt(day + 1001)], undefined, undefined, 'join failed reap'],
  ['old news of unknown nodes is dropped', [leave(3), reapAt(300_501), joined], undefined, 'alive', 'join'],
])('%s', (_, acts, result, status, told) => {
  const changes: string[] = [];
  const roster = new Roster(serfDefaults, (change) => changes.push(change));
  const results = acts.map((act) => act(roster));
  expect(results.at(-1)).toBe(result);
  expect(roster.get('n')?.status).toBe(status);
  expect(changes.join(' ')).toBe(told);
});

describe('this node', () => {
  test('contradicts a leave, unless it leaves', () => {
    const roster = new Roster(serfDefaults, () => undefined);
    roster.joined(info('me'));
    const leaveOfMe = { lTime: 4, node: 'me', prune: false };
    expect(roster.leaveIntent(leaveOfMe, 'me', 0)).toBe('refute');
    expect(roster.get('me')?.status).toBe('alive');
    expect(roster.leaveIntent(leaveOfMe, undefined, 0)).toBe('pass');
  });
});

test('other tags are told', () => {
  const told: unknown[] = [];
  const roster = new Roster(serfDefaults, (change, { tags }) => told.push([change, tags]));
  roster.joined(info('n', 'alive', { role: 'web' }));
  roster.updated(info('n', 'alive', { role: 'db' }));
  roster.updated(info('unknown'));
  expect(told).toEqual([
    ['join', { role: 'web' }],
    ['update', { role: 'db' }],
  ]);
});

test('news of so many unknown nodes is an attack, and not kept', () => {
  const roster = new Roster(serfDefaults, () => undefined);
  const verdicts = Array.from({ length: 5000 }, (_, i) => roster.joinIntent({ lTime: 1, node: `n${i}` }, 0));
  expect(verdicts.filter((each) => each === 'pass')).toHaveLength(4096);
});
