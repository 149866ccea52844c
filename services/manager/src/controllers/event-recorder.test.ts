import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeReady } from '../events/describe.ts';
import { decodeRecord } from '../events/record.ts';
import { createKeys } from '../store/keys.ts';
import { type MemoryFault, MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { CoreManager } from '../testing/core-manager.ts';

const keys = createKeys();

let clock: FakeClock;
let backend: MemoryBackend;
let manager: CoreManager;

beforeEach(async () => {
  clock = new FakeClock(1_800_000_000_000);
  backend = new MemoryBackend({ clock });
  const parts = { clock, random: new SeededRandom(1), log: new MemoryLog() };
  manager = new CoreManager({ ...parts, backend }, { name: 'm1', ttl: seconds(3) });
  await manager.start();
  await clock.advance(milliseconds(1));
});

afterEach(async () => {
  await clock.until(manager.stop(), seconds(60));
  backend.close();
  expect(clock.sleeping).toBe(0);
});

const backendStore = (): MemoryStore => new MemoryStore({ clock, backend });
const ready = (name: string): void => manager.relay.emit(nodeReady({ name } as Parameters<typeof nodeReady>[0]));
const recordedHosts = () => backend.history.list(keys.events).map((kv) => decodeRecord(kv).map(({ host }) => host));

test('what happens in a moment goes together, in order, a hundred at most', async () => {
  for (let i = 0; i < 250; i++) ready(`h${i}`);
  await clock.advance(seconds(1));
  expect(recordedHosts().map((hosts) => hosts.length)).toEqual([100, 100, 50]);
  expect(recordedHosts().flat()).toEqual(Array.from({ length: 250 }, (_, i) => `h${i}`));
  expect(backend.history.list(keys.events).flatMap(decodeRecord)[0]).toMatchObject({
    kind: 'node.ready',
    actor: 'manager/m1',
    cause: 'session',
  });
});

test.each<MemoryFault>(['refused', 'lost-request', 'lost-reply'])('is recorded once in spite of: %s', async (fault) => {
  let faults = 3;
  manager.store.fault = (operation) => (operation === 'txn' && faults-- > 0 ? fault : 'none');
  ready('h1');
  await clock.advance(seconds(1));
  ready('h2');
  await clock.advance(seconds(60));
  expect(recordedHosts().flat()).toEqual(['h1', 'h2']);
});

test('many repairs cause few events', async () => {
  const drift = { host: '', network: 'blue', kind: 'fdb', key: 'm', actual: '', desired: 'dst 192.0.2.2' };
  for (let i = 0; i < 100; i++) {
    for (let j = 0; j < 200; j++) manager.relay.repaired('h1', drift);
    await clock.advance(milliseconds(100));
  }
  await clock.advance(seconds(10));
  const events = backend.history.list(keys.events).flatMap(decodeRecord);
  expect(events.length).toBeLessThan(6);
  expect(events.reduce((sum, { count }) => sum + count, 0)).toBe(20_000);
});

test('repairs after the first ones wait five seconds, and are recorded then without another event', async () => {
  const drift = { host: '', network: 'blue', kind: 'fdb', key: 'm', actual: '', desired: 'dst 192.0.2.2' };
  manager.relay.repaired('h1', drift);
  await clock.advance(seconds(1));
  manager.relay.repaired('h1', drift);
  const counts = () =>
    backend.history
      .list(keys.events)
      .flatMap(decodeRecord)
      .map(({ count }) => count);
  await clock.advance(seconds(3));
  expect(counts()).toEqual([1]);
  await clock.advance(seconds(2));
  expect(counts()).toEqual([1, 1]);
});

test('of more events than can wait for a store, the first are recorded', async () => {
  manager.store.fault = (operation) => (operation === 'txn' ? 'refused' : 'none');
  for (let i = 0; i < 10_002; i++) ready(`h${i}`);
  await clock.advance(milliseconds(100));
  manager.store.fault = () => 'none';
  await clock.advance(seconds(30));
  expect(recordedHosts().flat()).toHaveLength(10_000);
  expect(recordedHosts().flat().at(-1)).toBe('h9999');
});

test('a manager that does not lead records no event', async () => {
  await clock.until(manager.elector.stop(), seconds(10));
  ready('h1');
  await clock.advance(seconds(5));
  expect(recordedHosts()).toEqual([]);
});

test('events that a term could not record are not recorded in the next term', async () => {
  manager.store.fault = (operation) => (operation === 'txn' ? 'refused' : 'none');
  ready('h1');
  await clock.advance(seconds(2));
  manager.store.fault = () => 'none';
  await clock.until(backendStore().txn([], [{ kind: 'delete', key: keys.leader }]), seconds(1));
  await clock.advance(seconds(5));
  expect(manager.leads).toBe(true);
  ready('h2');
  await clock.advance(seconds(5));
  expect(recordedHosts().flat()).toEqual(['h2']);
});
