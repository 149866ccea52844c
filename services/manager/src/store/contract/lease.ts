import { milliseconds, seconds } from '@causeway/runtime';
import { expect } from 'vitest';
import type { StoreEvent } from '../store.ts';
import { failure, must, put, read, remove, under, write } from './act.ts';
import { Follower } from './follower.ts';
import type { StoreCase } from './world.ts';

/** For leases that must not end by themselves, however long the case takes. */
const long = seconds(600);

export const leaseCases: readonly StoreCase[] = [
  {
    name: 'lease: its end deletes its keys, and then it can be neither renewed nor used',
    run: async ({ store, witness, prefix, limits }) => {
      const follower = new Follower(witness, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      const lease = await store.grant(limits.leaseTtl);
      expect(lease.ttl).toBe(limits.leaseTtl);
      await write(
        store,
        put(`${prefix}leader`, 'me', lease.id),
        put(`${prefix}other`, 'x', lease.id),
        put(`${prefix}kept`),
      );
      await follower.until(({ events }) => events.filter(({ kind }) => kind === 'delete').length === 2);
      expect([...follower.state.keys()]).toEqual([`${prefix}kept`]);
      expect(await failure(lease.renew())).toMatchObject({ code: 'store-unavailable', data: { lease: 'gone' } });
      const late = await failure(store.txn([], [put(`${prefix}late`), put(`${prefix}late2`, 'x', lease.id)]));
      expect(late).toMatchObject({ code: 'store-unavailable', data: { lease: 'gone' } });
      expect(await read(store, `${prefix}late`)).toBeUndefined();
      await lease.revoke();
      await follower.stop();
    },
  },
  {
    name: 'lease: of several that end at the same moment, each takes its keys along in a revision of its own',
    run: async ({ store, witness, prefix, limits }) => {
      const follower = new Follower(witness, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      const leases = await Promise.all(['a', 'b', 'c'].map(() => store.grant(limits.leaseTtl)));
      for (const [i, { id }] of leases.entries())
        await write(store, ...[0, 1, 2].map((n) => put(`${prefix}${i}/${n}`, 'x', id)));
      const isGone = ({ kind }: StoreEvent): boolean => kind === 'delete';
      await follower.until(({ events }) => events.filter(isGone).length === 9);
      const together = new Map<bigint, Set<string>>();
      for (const event of follower.events)
        if (event.kind === 'delete') {
          const of = together.get(event.modRevision) ?? new Set();
          together.set(event.modRevision, of.add(event.key.slice(prefix.length).split('/')[0] ?? ''));
        }
      expect([...together.values()].map((of) => of.size)).toEqual([1, 1, 1]);
      await follower.stop();
    },
  },
  {
    name: 'lease: renewed in time it lives on',
    run: async ({ store, prefix, clock, limits }) => {
      const lease = await store.grant(limits.leaseTtl);
      const key = `${prefix}leader`;
      await write(store, put(key, 'me', lease.id));
      const end = clock.now() + 1.5 * limits.leaseTtl;
      while (clock.now() < end) {
        expect(await lease.renew()).toBe(limits.leaseTtl);
        // Renews often: a busy machine may pause the test for most of a lease.
        await clock.sleep(milliseconds(limits.leaseTtl / 20));
      }
      expect(await read(store, key)).toBe('me');
      await lease.revoke();
    },
  },
  {
    name: 'lease: revoked it takes its keys along at once',
    run: async ({ store, witness, prefix }) => {
      const lease = await store.grant(long);
      await write(store, put(`${prefix}leader`, 'me', lease.id));
      await lease.revoke();
      expect(await read(witness, `${prefix}leader`)).toBeUndefined();
      expect(await failure(lease.renew())).toMatchObject({ code: 'store-unavailable', data: { lease: 'gone' } });
    },
  },
  {
    name: 'lease: another client that knows its id ends it; one that has ended is no failure',
    run: async ({ store, witness, prefix }) => {
      const [ended, kept] = [await store.grant(long), await store.grant(long)];
      await write(store, put(`${prefix}leader`, 'me', ended.id), put(`${prefix}other`, 'x', kept.id));
      await witness.revoke(ended.id);
      expect((await under(witness, prefix)).map(({ key }) => key)).toEqual([`${prefix}other`]);
      expect(await failure(ended.renew())).toMatchObject({ code: 'store-unavailable', data: { lease: 'gone' } });
      await witness.revoke(ended.id);
      await kept.revoke();
    },
  },
  {
    name: 'lease: a key belongs to the lease of its last write',
    run: async ({ store, prefix }) => {
      const first = await store.grant(long);
      const second = await store.grant(long);
      await write(store, put(`${prefix}moved`, '1', first.id), put(`${prefix}freed`, '1', first.id));
      await write(store, put(`${prefix}moved`, '2', second.id), put(`${prefix}freed`, '2'));
      await write(store, put(`${prefix}reborn`, '1', first.id));
      await write(store, remove(`${prefix}reborn`));
      await write(store, put(`${prefix}reborn`, '2'));
      await first.revoke();
      expect((await under(store, prefix)).map(({ key }) => key)).toEqual(
        ['freed', 'moved', 'reborn'].map((key) => `${prefix}${key}`),
      );
      await second.revoke();
      expect(await read(store, `${prefix}moved`)).toBeUndefined();
    },
  },
  {
    name: 'lease: a frozen store is noticed within the time to live, and the keys are gone for the next holder',
    run: async ({ store, witness, prefix, clock, limits, freeze, unfreeze }) => {
      const lease = await store.grant(limits.leaseTtl);
      const key = `${prefix}leader`;
      const term = await write(store, put(key, 'me', lease.id));
      await freeze();
      try {
        const late = clock.sleep(limits.leaseTtl).then(() => 'not noticed');
        const error = await Promise.race([failure(lease.renew()), late]);
        expect(error).toMatchObject({ code: 'store-unavailable' });
        expect(error).not.toMatchObject({ data: { lease: 'gone' } });
        await clock.sleep(milliseconds(2 * limits.leaseTtl));
      } finally {
        unfreeze();
      }
      const follower = new Follower(witness, prefix);
      await follower.until(({ state, snapshots }) => snapshots > 0 && !state.has(key));
      expect(await failure(lease.renew())).toMatchObject({ data: { lease: 'gone' } });
      const next = await write(witness, put(key, 'you'));
      expect((await must(witness, key)).createRevision).toBe(next);
      const old = await store.txn([{ kind: 'created', key, createRevision: term }], [put(`${prefix}by-old`)]);
      expect(old.succeeded).toBe(false);
      await follower.stop();
    },
  },
  {
    name: 'lease: renewing can be given up',
    run: async ({ store, setReachable }) => {
      const lease = await store.grant(long);
      setReachable(false);
      const giveUp = new AbortController();
      const renewal = failure(lease.renew(giveUp.signal));
      giveUp.abort();
      expect(await renewal).toMatchObject({ code: 'store-unavailable' });
    },
  },
];
