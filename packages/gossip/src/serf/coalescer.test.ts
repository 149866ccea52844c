import { expect, test } from 'vitest';
import { Timers } from '../swim/timers.ts';
import { noBytes } from '../wire/bytes.ts';
import { MemberCoalescer, UserCoalescer } from './coalescer.ts';
import type { SerfEvent } from './effect.ts';
import type { MemberChange, SerfMember } from './roster.ts';

const member = (name: string): SerfMember => ({
  name,
  addr: noBytes,
  port: 1,
  tags: {},
  status: 'alive',
  vsn: noBytes,
});

/** Events at times, and what was told when. */
function run<Coalescer>(
  make: (
    after: (span: number, fire: () => void) => ReturnType<Timers['at']>,
    tell: (event: SerfEvent) => void,
  ) => Coalescer,
  steps: readonly (readonly [number, (coalescer: Coalescer) => void])[],
): readonly string[] {
  const timers = new Timers();
  const told: string[] = [];
  let now = 0;
  const coalescer = make(
    (span, fire) => timers.at(now + span, fire),
    (event) =>
      told.push(`${now} ${event.type} ${'members' in event ? event.members.map(({ name }) => name) : print(event)}`),
  );
  const advance = (to: number): void => {
    for (let timer = timers.due(to); timer !== undefined; timer = timers.due(to)) {
      now = timer.at;
      timer.fire();
    }
    now = to;
  };
  for (const [at, act] of steps) {
    advance(at);
    act(coalescer);
  }
  advance(100_000);
  return told;
}

function print(event: SerfEvent): string {
  return event.type === 'user' ? `${event.name}@${event.lTime}` : '';
}

const change =
  (type: MemberChange, name: string) =>
  (to: MemberCoalescer): void =>
    to.add(type, member(name));
const user =
  (name: string, lTime: number, coalesce = true) =>
  (to: UserCoalescer): void =>
    to.add({ type: 'user', name, payload: noBytes, lTime, coalesce });

test.each<[string, number, number, Parameters<typeof run<MemberCoalescer>>[1], readonly string[]]>([
  ['without a period, changes are told at once', 0, 0, [[5, change('join', 'a')]], ['5 join a']],
  [
    'changes of one kind are told together',
    3000,
    1000,
    [
      [0, change('join', 'a')],
      [500, change('join', 'b')],
      [600, change('failed', 'c')],
    ],
    ['1600 join a,b', '1600 failed c'],
  ],
  [
    'of one node only the last change is told',
    3000,
    1000,
    [
      [0, change('join', 'a')],
      [10, change('failed', 'a')],
    ],
    ['1010 failed a'],
  ],
  [
    'a node that only went and came back is not told of again',
    3000,
    1000,
    [
      [0, change('join', 'a')],
      [5000, change('failed', 'a')],
      [5100, change('join', 'a')],
    ],
    ['1000 join a'],
  ],
  [
    'an event names a node that was forgotten and comes back',
    3000,
    1000,
    [
      [0, change('join', 'a')],
      [5000, change('reap', 'a')],
      [9000, change('join', 'a')],
    ],
    ['1000 join a', '6000 reap a', '10000 join a'],
  ],
  [
    'changes that do not end are told after the longest wait',
    2000,
    1000,
    Array.from({ length: 4 }, (_, i) => [i * 900, change('update', 'a')] as const),
    ['2000 update a', '3700 update a'],
  ],
])('%s', (_, period, quiescent, steps, expected) => {
  expect(run((after, tell) => new MemberCoalescer({ period, quiescent }, after, tell), steps)).toEqual(expected);
});

test.each<[string, number, Parameters<typeof run<UserCoalescer>>[1], readonly string[]]>([
  ['without a period, events are told at once', 0, [[5, user('deploy', 1)]], ['5 user deploy@1']],
  [
    'of events with one name the last is told',
    3000,
    [
      [0, user('deploy', 1)],
      [1, user('deploy', 3)],
      [2, user('deploy', 2)],
      [3, user('restart', 1)],
    ],
    ['1003 user deploy@3', '1003 user restart@1'],
  ],
  [
    'events of one time are all told',
    3000,
    [
      [0, user('deploy', 1)],
      [1, user('deploy', 1)],
    ],
    ['1001 user deploy@1', '1001 user deploy@1'],
  ],
  ['events that must not be joined do not wait', 3000, [[7, user('deploy', 1, false)]], ['7 user deploy@1']],
])('%s', (_, period, steps, expected) => {
  expect(run((after, tell) => new UserCoalescer({ period, quiescent: 1000 }, after, tell), steps)).toEqual(expected);
});
