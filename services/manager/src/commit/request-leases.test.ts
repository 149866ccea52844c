import type { Duration } from '@causeway/runtime';
import { minutes, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { under } from '../store/contract/act.ts';
import { MemoryStore } from '../store/memory.ts';
import { maxRevisionEvents, revisionOf } from '../store/store.ts';
import { outcomesPerLease, RequestLeases } from './request-leases.ts';

function createWorld() {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  const leases = new RequestLeases({ store, clock });
  const granted: Duration[] = [];
  const grant = store.grant.bind(store);
  store.grant = (ttl) => {
    granted.push(ttl);
    return grant(ttl);
  };
  const keep = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const key = `/req/${granted.length}/${i}`;
      await store.txn([], [{ kind: 'put', key, value: new Uint8Array(1), lease: await leases.take() }]);
    }
  };
  return { clock, store, leases, granted, keep };
}

test('the end of a burst’s outcomes is many small revisions, none with more events than a revision may have', async () => {
  const { clock, store, keep } = createWorld();
  await keep(5 * outcomesPerLease + 1);
  const before = store.backend.history.revision;
  await clock.advance(minutes(12));
  expect(await under(store, '/')).toEqual([]);
  const sizes = new Map<bigint, number>();
  for (const event of store.backend.history.since(before, ''))
    sizes.set(revisionOf(event), (sizes.get(revisionOf(event)) ?? 0) + 1);
  expect([...sizes.values()].reduce((sum, size) => sum + size)).toBe(5 * outcomesPerLease + 1);
  expect(Math.max(...sizes.values())).toBeLessThanOrEqual(maxRevisionEvents);
});

test('requests of a quiet minute share one lease, those of the next have another', async () => {
  const { clock, granted, keep } = createWorld();
  await keep(10);
  await clock.advance(seconds(59));
  await keep(10);
  expect(granted).toEqual([minutes(11)]);
  await clock.advance(seconds(2));
  await keep(1);
  expect(granted).toHaveLength(2);
});

test('callers that wait for a lease count: a burst while the store is slow does not overfill it', async () => {
  const { clock, store, leases, granted } = createWorld();
  store.latency = () => seconds(1);
  const taken = Promise.all(Array.from({ length: 2 * outcomesPerLease + 1 }, () => leases.take()));
  const ids = await clock.until(taken, seconds(10));
  expect(granted).toHaveLength(3);
  expect(ids.filter((id) => id === ids[0])).toHaveLength(outcomesPerLease);
});

test('a lease that was not granted is asked for again', async () => {
  const { store, leases } = createWorld();
  store.fault = () => 'refused';
  await expect(leases.take()).rejects.toMatchObject({ code: 'store-unavailable' });
  store.fault = () => 'none';
  expect(await leases.take()).toBe(1n);
});
