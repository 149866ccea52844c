import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { milliseconds, minutes, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventStore } from '../testing/event-store.ts';
import { encodeHorizon } from './archive.ts';
import { EventFeed, type EventQuery } from './feed.ts';
import { sequenceOf } from './record.ts';

const kept = 4;
const never = new AbortController().signal;

let clock: FakeClock;
let world: EventStore;
let feed: EventFeed;

beforeEach(() => {
  clock = new FakeClock(1_800_000_000_000);
  world = new EventStore(clock);
  feed = new EventFeed({ ...world, clock, log: new MemoryLog() }, { kept });
});

afterEach(() => feed.stop());

async function read(query: Partial<EventQuery> = {}, signal = never): Promise<readonly Event[]> {
  const found: Event[] = [];
  const reading = (async () => {
    for await (const event of feed.read({ from: 0n, since: 0, follow: false, ...query }, signal)) found.push(event);
  })();
  if (query.follow !== true) await clock.until(reading, seconds(60));
  await reading;
  return found;
}

const hosts = (events: readonly Event[]): string => events.map(({ kind, host }) => host || kind).join(' ');

/** Writes records of two events each, a minute apart: a0 b0 a1 b1 … */
async function past(records: number): Promise<readonly bigint[]> {
  const revisions: bigint[] = [];
  for (let i = 0; i < records; i++) {
    revisions.push(await world.recordHosts(`a${i}`, `b${i}`));
    await clock.advance(minutes(1));
  }
  return revisions;
}

describe('what is kept', () => {
  test('nothing', async () => {
    expect(await read()).toEqual([]);
  });

  test('all events, whether the store or the memory has them', async () => {
    await past(30);
    await past(1);
    const expected = Array.from({ length: 30 }, (_, i) => `a${i} b${i}`).join(' ');
    expect(hosts(await read())).toBe(`${expected} a0 b0`);
  });

  test('every field', async () => {
    const { revision } = await world.record([
      { kind: 'endpoint.attached', network: 'blue', endpoint: 'web', addresses: [], message: 'm', actor: 'agent/h1' },
    ]);
    expect(await read()).toEqual([
      {
        sequence: revision * 256n,
        revision,
        timeMs: 1_800_000_000_000n,
        kind: 'endpoint.attached',
        network: 'blue',
        networkId: '',
        endpoint: 'web',
        endpointId: '',
        purpose: '',
        subject: '',
        method: '',
        refusal: '',
        object: '',
        host: '',
        addresses: [],
        message: 'm',
        actor: 'agent/h1',
        cause: 'test',
        count: 1,
      },
    ]);
  });

  test('what is no record of ours is passed over', async () => {
    await world.recordHosts('a');
    const key = world.keys.eventsAt(world.keys.placeForEvents(clock.wall() + 1), 1);
    await world.store.txn([], [{ kind: 'put', key, value: new Uint8Array([1, 2]) }]);
    expect(hosts(await read())).toBe('a');
  });
});

describe('the newest', () => {
  const all = (): boolean => true;

  test.each<[count: number, expected: string]>([
    [1, 'b1199'],
    [3, 'b1198 a1199 b1199'],
    [2_400, 'all'],
    [9_000, 'all'],
  ])('%i of them, through the pages of the store', async (count, expected) => {
    for (let i = 0; i < 1_200; i++) await world.recordHosts(`a${i}`, `b${i}`);
    const { events } = await feed.last(count, 0, all);
    const everything = Array.from({ length: 1_200 }, (_, i) => `a${i} b${i}`).join(' ');
    expect(hosts(events)).toBe(expected === 'all' ? everything : expected);
  });

  test('of those that are wanted, since a time', async () => {
    const begin = clock.wall();
    await past(30);
    const isA = ({ host }: Event): boolean => host.startsWith('a');
    expect(hosts((await feed.last(2, 0, isA)).events)).toBe('a28 a29');
    expect(hosts((await feed.last(9, begin + 28 * 60_000, isA)).events)).toBe('a28 a29');
    expect(hosts((await feed.last(9, clock.wall() + 1, isA)).events)).toBe('');
  });

  test.each([0, 3])('and then what happens, with none twice and none left out (%i wanted)', async (wanted) => {
    await past(5);
    const { next } = await feed.last(9, 0, ({ host }) => Number(host.slice(1)) > 4 - wanted);
    expect(await read({ from: next })).toEqual([]);
    await past(1);
    expect(hosts(await read({ from: next }))).toBe('a0 b0');
  });
});

describe('from a place', () => {
  test.each([
    ['the first', 0, 0n],
    ['within a record', 3, 1n],
    ['long ago', 5, 0n],
    ['in memory', 29, 1n],
  ])('%s', async (_, record, place) => {
    const revisions = await past(30);
    const from = sequenceOf(revisions[record] ?? 0n, Number(place));
    const expected = Array.from({ length: 30 }, (_unused, i) => [`a${i}`, `b${i}`]).flat();
    expect(hosts(await read({ from }))).toBe(expected.slice(2 * record + Number(place)).join(' '));
  });

  test('after the newest: nothing, and nothing is missing', async () => {
    const revisions = await past(3);
    expect(await read({ from: sequenceOf(revisions[2] ?? 0n, 2) })).toEqual([]);
  });

  test('since a time', async () => {
    const begin = clock.wall();
    await past(30);
    expect(hosts(await read({ since: begin + 27 * 60_000 }))).toBe('a27 b27 a28 b28 a29 b29');
    expect(hosts(await read({ since: clock.wall() + 1 }))).toBe('');
  });

  test('before the first of a cluster that still has all: nothing is missing', async () => {
    await past(2);
    expect(hosts(await read({ from: 1n }))).toBe('a0 b0 a1 b1');
  });

  test('that are not kept any more: an event in place of the last missing event reports the gap', async () => {
    const revisions = await past(30);
    const gone = revisions[9] ?? 0n;
    const place = world.keys.placeForEvents(1_800_000_000_000 + 10 * 60_000);
    const value = encodeHorizon(gone);
    const write = { kind: 'put', key: world.keys.eventHorizon, value } as const;
    const { kvs } = await world.store.page({ from: world.keys.events, before: place }, { limit: 100, keysOnly: true });
    await world.store.txn([], [...kvs.map(({ key }) => ({ kind: 'delete', key }) as const), write]);
    const result = await read({ from: sequenceOf(revisions[4] ?? 0n) });
    expect(result[0]).toMatchObject({ kind: 'events.gone', sequence: sequenceOf(gone + 1n) - 1n });
    expect(hosts(result)).toMatch(/^events.gone a10 b10 .* a29 b29$/);
    expect(hosts(await read({ from: (result[0]?.sequence ?? 0n) + 1n }))).toMatch(/^a10 b10 /);
  });

  test('of a store that was restored: the gap is reported, and new events follow', async () => {
    const revisions = await past(2);
    const leave = new AbortController();
    const reading = read({ from: sequenceOf((revisions[1] ?? 0n) + 50n), follow: true }, leave.signal);
    await clock.advance(milliseconds(10));
    await world.recordHosts('next');
    await clock.advance(milliseconds(10));
    leave.abort();
    expect(hosts(await reading)).toBe('events.gone next');
  });
});

describe('following', () => {
  test('gets what happens, until the reader leaves', async () => {
    await world.recordHosts('a');
    const leave = new AbortController();
    const reading = read({ follow: true }, leave.signal);
    await clock.advance(milliseconds(10));
    await world.recordHosts('b', 'c');
    await clock.advance(milliseconds(10));
    leave.abort();
    expect(hosts(await reading)).toBe('a b c');
  });

  test('a reader that is slower than memory lasts misses nothing', async () => {
    const reader = feed.read({ from: 0n, since: 0, follow: true }, never);
    const first = reader.next();
    await world.recordHosts('x');
    expect((await first).value?.host).toBe('x');
    for (let i = 0; i < 40; i++) await world.recordHosts(`y${i}`);
    const seen: (string | undefined)[] = [];
    for (let i = 0; i < 40; i++) seen.push((await reader.next()).value?.host);
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => `y${i}`));
    await reader.return();
  });

  test('history that is gone while the store was away is read again', async () => {
    const leave = new AbortController();
    const reading = read({ follow: true }, leave.signal);
    await clock.advance(milliseconds(10));
    world.store.setReachable(false);
    await clock.advance(seconds(1));
    world.store.setReachable(true);
    await world.recordHosts('a');
    world.store.backend.compact();
    world.store.cut();
    await world.recordHosts('b');
    await clock.advance(seconds(5));
    leave.abort();
    expect(hosts(await reading)).toBe('a b');
  });

  test('the store is followed once for all readers, and not at all without readers', async () => {
    const { store } = world;
    let [begun, ended] = [0, 0];
    const watch: typeof store.watch = (prefix, after, signal) => {
      begun++;
      signal.addEventListener('abort', () => ended++);
      return store.watch(prefix, after, signal);
    };
    const counted = { get: store.get.bind(store), page: store.page.bind(store), watch };
    feed = new EventFeed({ ...world, store: counted, clock, log: new MemoryLog() }, { kept });
    await clock.advance(minutes(1));
    expect([begun, ended]).toEqual([0, 0]);
    const leaves = [new AbortController(), new AbortController()];
    const readings = leaves.map(({ signal }) => read({ follow: true }, signal));
    await clock.advance(milliseconds(10));
    expect([begun, ended]).toEqual([1, 0]);
    leaves[0]?.abort();
    await readings[0];
    await world.recordHosts('a');
    await clock.advance(milliseconds(10));
    expect([begun, ended]).toEqual([1, 0]);
    leaves[1]?.abort();
    expect(hosts((await readings[1]) ?? [])).toBe('a');
    expect([begun, ended]).toEqual([1, 1]);
    await world.recordHosts('b');
    expect(hosts(await read())).toBe('a b');
    expect([begun, ended]).toEqual([2, 2]);
  });

  test('a store that is not there is waited for', async () => {
    await world.recordHosts('a');
    world.store.setReachable(false);
    const reading = read();
    await clock.advance(seconds(5));
    world.store.setReachable(true);
    expect(hosts(await reading)).toBe('a');
  });
});
