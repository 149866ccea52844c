import { expect, test } from 'vitest';
import { replayed, Snapshot, type SnapshotRecord } from './snapshot.ts';

const at = (last: number) => ({ addr: Uint8Array.of(10, 0, 0, last), port: 7946 });
const alive = (name: string, last: number): SnapshotRecord => ({ type: 'alive', name, ...at(last) });
const nothing = replayed([], false);

/** A snapshot and all that it wrote. */
function written(restored = nothing): { snapshot: Snapshot; writes: [string, readonly SnapshotRecord[]][] } {
  const writes: [string, readonly SnapshotRecord[]][] = [];
  return { snapshot: new Snapshot(restored, (how, records) => writes.push([how, records])), writes };
}

test('records give the nodes that were alive, and the last times', () => {
  const records: SnapshotRecord[] = [
    alive('a', 1),
    alive('b', 2),
    { type: 'clock', time: 3 },
    { type: 'not-alive', name: 'a' },
    { type: 'clock', time: 5 },
    { type: 'query-clock', time: 2 },
    alive('c', 3),
  ];
  expect(replayed(records, false)).toEqual({
    alive: new Map([
      ['b', at(2)],
      ['c', at(3)],
    ]),
    times: { clock: 5, 'event-clock': 0, 'query-clock': 2 },
  });
});

test('a node that left joins no other, unless it shall', () => {
  const records: SnapshotRecord[] = [alive('a', 1), { type: 'clock', time: 3 }, { type: 'leave' }];
  expect(replayed(records, false)).toEqual(nothing);
  expect(replayed(records, true).alive).toEqual(new Map([['a', at(1)]]));
});

test('changes are appended, and nothing after a leave', () => {
  const { snapshot, writes } = written();
  snapshot.alive('a', at(1));
  snapshot.notAlive('unknown');
  snapshot.clock('clock', 4);
  snapshot.clock('clock', 4);
  snapshot.notAlive('a');
  snapshot.leave();
  snapshot.leave();
  snapshot.alive('b', at(2));
  expect(writes).toEqual([
    ['append', [alive('a', 1)]],
    ['append', [{ type: 'clock', time: 4 }]],
    ['append', [{ type: 'not-alive', name: 'a' }]],
    ['append', [{ type: 'leave' }]],
  ]);
});

test('a snapshot that grew is written anew, with what counts', () => {
  const { snapshot, writes } = written(replayed([alive('a', 1)], false));
  for (let time = 1; time <= 2100; time++) snapshot.clock('event-clock', time);
  const whole = writes.filter(([how]) => how === 'replace');
  expect(whole).toHaveLength(1);
  expect(whole[0]?.[1][0]).toEqual(alive('a', 1));
  expect(whole[0]?.[1]).toHaveLength(4);
  // Whatever is written, the file says the same.
  let file: readonly SnapshotRecord[] = [];
  for (const [how, records] of writes) file = how === 'replace' ? records : [...file, ...records];
  expect(replayed(file, false).times['event-clock']).toBe(2100);
});
