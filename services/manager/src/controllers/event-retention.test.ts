import { milliseconds, minutes, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EventArchive } from '../events/archive.ts';
import { decodeRecord } from '../events/record.ts';
import { under } from '../store/contract/act.ts';
import { View } from '../store/view.ts';
import { EventStore } from '../testing/event-store.ts';
import { EventRetention } from './event-retention.ts';

const hours = (count: number) => minutes(60 * count);

let clock: FakeClock;
let world: EventStore;
let terms: AbortController[];

beforeEach(() => {
  clock = new FakeClock(1_800_000_000_000);
  world = new EventStore(clock);
  terms = [];
});

afterEach(() => {
  for (const term of terms) term.abort();
  expect(clock.sleeping).toBe(0);
});

/** Runs the retention of one term. */
function lead(revision: bigint): void {
  const retention = new EventRetention(
    { ...world, view: new View(), clock, log: new MemoryLog() },
    { history: hours(24), limit: 1_000 },
  );
  const end = new AbortController();
  terms.push(end);
  void retention.run({ revision, signal: end.signal });
}

async function kept(): Promise<readonly string[]> {
  const kvs = await under(world.store, world.keys.events);
  return kvs.flatMap(decodeRecord).map(({ host }) => host);
}

const many = (name: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${name}${i}`);

test('what is older than asked for goes, a minute late at most', async () => {
  lead(await world.lead());
  await world.recordHosts('old');
  await clock.advance(hours(23));
  await world.recordHosts('young');
  await clock.advance(minutes(59));
  expect(await kept()).toEqual(['old', 'young']);
  await clock.advance(minutes(3));
  expect(await kept()).toEqual(['young']);
  const { gone } = await new EventArchive(world).horizon();
  expect(gone).toBe(2n + 1n); // revision 2 has the leader's key, the next one the old record
});

/** An event in each hour of a day, with the number of the hour. */
async function recordDay(): Promise<void> {
  for (let hour = 0; hour < 24; hour++) {
    await world.recordHosts(`${hour}`);
    await clock.advance(hours(1));
  }
}

test('a leader whose clock is days ahead deletes four times as much as the time in which it leads', async () => {
  await recordDay();
  clock.stepWall(hours(50));
  lead(await world.lead());
  await clock.advance(hours(1));
  expect((await kept())[0]).toBe('4');
  clock.stepWall(-hours(50));
  await clock.advance(hours(3));
  expect((await kept())[0]).toBe('4');
  await clock.advance(hours(3));
  expect((await kept())[0]).toBe('7');
});

test('a clock that jumps ahead while the manager leads deletes no more than that either', async () => {
  await recordDay();
  lead(await world.lead());
  await clock.advance(minutes(10));
  clock.stepWall(hours(50));
  await clock.advance(minutes(20));
  expect((await kept())[0]).toBe('2');
});

test('what was too old before a standstill goes little by little', async () => {
  await recordDay();
  await clock.advance(hours(72));
  lead(await world.lead());
  await clock.advance(hours(3));
  expect((await kept())[0]).toBe('12');
  await clock.advance(hours(4));
  expect(await kept()).toEqual([]);
});

test('the oldest go when there are too many, whole records, as soon as it is noticed', async () => {
  lead(await world.lead());
  for (let i = 0; i < 20; i++) await world.recordHosts(...many(`${i}-`, 100));
  await clock.advance(seconds(65));
  expect((await kept())[0]).toBe('10-0');
  expect(await kept()).toHaveLength(1_000);
  await world.recordHosts(...many('x', 90));
  await clock.advance(minutes(2));
  expect(await kept()).toHaveLength(1_090);
  await world.recordHosts(...many('y', 20));
  await clock.advance(seconds(6));
  expect(await kept()).toHaveLength(910);
});

test('many old records are deleted together, in several transactions', async () => {
  lead(await world.lead());
  for (let i = 0; i < 2_500; i++) await world.recordHosts(`h${i}`);
  await clock.advance(milliseconds(hours(24) + minutes(2)));
  expect(await kept()).toEqual([]);
});

test('a manager that has ceased to lead stops at the first transaction that the store refuses', async () => {
  for (let i = 0; i < 500; i++) await world.recordHosts(`h${i}`);
  await clock.advance(hours(25));
  const term = await world.lead();
  await world.store.txn([], [{ kind: 'delete', key: world.keys.leader }]);
  await world.lead();
  lead(term);
  let transactions = 0;
  world.store.fault = (operation) => {
    if (operation === 'txn') transactions++;
    return 'none';
  };
  await clock.advance(seconds(62));
  expect(transactions).toBe(1);
  expect(await kept()).toHaveLength(500);
});

test('a manager that does not lead, or does not lead any more, removes nothing', async () => {
  await world.recordHosts('old');
  await clock.advance(hours(30));
  expect(await kept()).toEqual(['old']);
  const term = await world.lead();
  await world.store.txn([], [{ kind: 'delete', key: world.keys.leader }]);
  await world.lead();
  lead(term);
  await clock.advance(minutes(3));
  expect(await kept()).toEqual(['old']);
});
