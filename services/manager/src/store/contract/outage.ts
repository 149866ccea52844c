import { expect } from 'vitest';
import { failure, put, read, under, write } from './act.ts';
import { Follower } from './follower.ts';
import type { StoreCase } from './world.ts';

export const outageCases: readonly StoreCase[] = [
  {
    name: 'outage: a lost reply is "timed-out", and the write is there, whole',
    run: async ({ store, witness, prefix, loseNext, restore }) => {
      await write(store, put(`${prefix}before`));
      loseNext('reply');
      const absent = { kind: 'absent', key: `${prefix}a` } as const;
      const error = await failure(store.txn([absent], [put(`${prefix}a`), put(`${prefix}b`)]));
      expect(error).toMatchObject({ code: 'timed-out' });
      expect((await under(witness, prefix)).map(({ key }) => key)).toEqual(
        ['a', 'b', 'before'].map((key) => `${prefix}${key}`),
      );
      restore();
      expect(await read(store, `${prefix}b`)).toBe('x');
    },
  },
  {
    name: 'outage: a lost request is "timed-out" too, and nothing was written',
    run: async ({ store, witness, prefix, loseNext, restore }) => {
      await write(store, put(`${prefix}before`));
      loseNext('request');
      const error = await failure(store.txn([], [put(`${prefix}a`), put(`${prefix}b`)]));
      expect(error).toMatchObject({ code: 'timed-out' });
      restore();
      // The outcome of a write on the broken connection would be unknown again. The read waits for a new connection.
      expect(await read(store, `${prefix}before`)).toBe('x');
      await write(store, put(`${prefix}after`));
      expect((await under(witness, prefix)).map(({ key }) => key)).toEqual(
        ['after', 'before'].map((key) => `${prefix}${key}`),
      );
    },
  },
  {
    name: 'outage: without a connection everything is refused for certain, and works again after it',
    run: async ({ store, witness, prefix, setReachable }) => {
      await write(store, put(`${prefix}before`));
      setReachable(false);
      const errors = await Promise.all([
        failure(store.get(`${prefix}before`)),
        failure(under(store, prefix)),
        failure(store.members()),
      ]);
      errors.push(await failure(store.txn([], [put(`${prefix}a`)])));
      for (const error of errors) expect(error).toMatchObject({ code: 'store-unavailable' });
      expect(await read(witness, `${prefix}a`)).toBeUndefined();
      setReachable(true);
      await write(store, put(`${prefix}a`));
      expect(await read(witness, `${prefix}a`)).toBe('x');
    },
  },
  {
    name: 'outage: a follow begins when the store comes, and resumes when it comes back',
    run: async ({ store, witness, prefix, setReachable }) => {
      setReachable(false);
      const follower = new Follower(store, prefix);
      const revisions = [await write(witness, put(`${prefix}a`))];
      setReachable(true);
      await follower.reached(revisions[0] ?? 0n);
      expect(follower.snapshots).toBe(1);
      setReachable(false);
      for (const name of ['b', 'c', 'd']) revisions.push(await write(witness, put(`${prefix}${name}`)));
      setReachable(true);
      await follower.reached(revisions.at(-1) ?? 0n);
      expect(follower.snapshots).toBe(1);
      expect([...follower.state.keys()]).toEqual(['a', 'b', 'c', 'd'].map((key) => `${prefix}${key}`));
      await follower.stop();
    },
  },
  {
    name: 'outage: a follow of a frozen store goes on when it is unfrozen',
    run: async ({ store, witness, prefix, freeze, unfreeze, clock, limits }) => {
      const follower = new Follower(store, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      await freeze();
      try {
        await clock.sleep(limits.callTimeout);
      } finally {
        unfreeze();
      }
      const revision = await write(witness, put(`${prefix}a`));
      await follower.reached(revision);
      expect(follower.state.size).toBe(1);
      await follower.stop();
    },
  },
  {
    name: 'outage: members are listed with their health',
    run: async ({ store }) => {
      const members = await store.members();
      expect(members).toHaveLength(1);
      expect(members[0]?.healthy).toBe(true);
      expect(members[0]?.name).not.toBe('');
    },
  },
  {
    name: 'outage: a closed store refuses',
    run: async ({ store, prefix }) => {
      await write(store, put(`${prefix}a`));
      await store.close();
      expect(await failure(store.get(`${prefix}a`))).toMatchObject({ code: 'store-unavailable' });
      expect(await failure(store.txn([], [put(`${prefix}a`)]))).toMatchObject({ code: 'store-unavailable' });
    },
  },
];
