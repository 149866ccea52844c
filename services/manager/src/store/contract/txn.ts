import { expect } from 'vitest';
import { keyText } from '../range.ts';
import type { PageOptions } from '../store.ts';
import { failure, holds, must, put, read, remove, under, write } from './act.ts';
import { Follower } from './follower.ts';
import type { StoreCase } from './world.ts';

export const txnCases: readonly StoreCase[] = [
  {
    name: 'a transaction is one revision, on every key it writes',
    run: async ({ store, prefix }) => {
      const revision = await write(store, put(`${prefix}a`, 'one'), put(`${prefix}b`, 'two'));
      const kvs = await under(store, prefix);
      expect(kvs.map(({ key }) => key)).toEqual([`${prefix}a`, `${prefix}b`]);
      for (const kv of kvs) expect(kv).toMatchObject({ createRevision: revision, modRevision: revision });
    },
  },
  {
    name: 'a change keeps the create revision, a new life gets a new one',
    run: async ({ store, prefix }) => {
      const key = `${prefix}a`;
      const first = await write(store, put(key));
      const second = await write(store, put(key, 'y'));
      expect(second).toBe(first + 1n);
      expect(await must(store, key)).toMatchObject({ createRevision: first, modRevision: second });
      await write(store, remove(key));
      expect((await store.get(key)).kv).toBeUndefined();
      const again = await write(store, put(key));
      expect(await must(store, key)).toMatchObject({ createRevision: again, modRevision: again });
    },
  },
  {
    name: 'a transaction that fails writes nothing and takes no revision',
    run: async ({ store, prefix }) => {
      const revision = await write(store, put(`${prefix}a`));
      const result = await store.txn(
        [{ kind: 'absent', key: `${prefix}a` }],
        [put(`${prefix}b`), remove(`${prefix}a`)],
      );
      expect(result).toEqual({ succeeded: false, revision });
      expect(await read(store, `${prefix}a`)).toBe('x');
      expect(await read(store, `${prefix}b`)).toBeUndefined();
    },
  },
  {
    name: 'deleting what is not there takes no revision',
    run: async ({ store, prefix }) => {
      const revision = await write(store, put(`${prefix}a`));
      expect(await store.txn([], [remove(`${prefix}none`)])).toEqual({ succeeded: true, revision });
      expect(await store.txn([], [])).toEqual({ succeeded: true, revision });
    },
  },
  {
    name: 'absent: holds before the key and after it',
    run: async ({ store, prefix }) => {
      const key = `${prefix}a`;
      expect(await holds(store, { kind: 'absent', key })).toBe(true);
      await write(store, put(key));
      expect(await holds(store, { kind: 'absent', key })).toBe(false);
      await write(store, remove(key));
      expect(await holds(store, { kind: 'absent', key })).toBe(true);
    },
  },
  {
    name: 'unchanged: holds at that revision only',
    run: async ({ store, prefix }) => {
      const key = `${prefix}a`;
      const first = await write(store, put(key));
      expect(await holds(store, { kind: 'unchanged', key, modRevision: first })).toBe(true);
      const second = await write(store, put(key));
      expect(await holds(store, { kind: 'unchanged', key, modRevision: first })).toBe(false);
      expect(await holds(store, { kind: 'unchanged', key, modRevision: second })).toBe(true);
      await write(store, remove(key));
      expect(await holds(store, { kind: 'unchanged', key, modRevision: second })).toBe(false);
    },
  },
  {
    name: 'created: the fence holds through changes, and falls with a new life',
    run: async ({ store, prefix }) => {
      const key = `${prefix}leader`;
      const term = await write(store, put(key, 'a'));
      await write(store, put(key, 'b'));
      expect(await holds(store, { kind: 'created', key, createRevision: term })).toBe(true);
      await write(store, remove(key));
      expect(await holds(store, { kind: 'created', key, createRevision: term })).toBe(false);
      await write(store, put(key, 'c'));
      expect(await holds(store, { kind: 'created', key, createRevision: term })).toBe(false);
    },
  },
  {
    name: 'quiet: every key of the range is looked at, also of an empty one',
    run: async ({ store, prefix }) => {
      const range = `${prefix}pool/`;
      const before = await write(store, put(`${prefix}other`));
      expect(await holds(store, { kind: 'quiet', prefix: range, since: 0n })).toBe(true);
      expect(await holds(store, { kind: 'quiet', prefix: range, since: before })).toBe(true);
      const first = await write(store, put(`${range}a`), put(`${range}b`));
      expect(await holds(store, { kind: 'quiet', prefix: range, since: before })).toBe(false);
      expect(await holds(store, { kind: 'quiet', prefix: range, since: first })).toBe(true);
      const second = await write(store, put(`${range}b`));
      expect(await holds(store, { kind: 'quiet', prefix: range, since: first })).toBe(false);
      expect(await holds(store, { kind: 'quiet', prefix: range, since: second })).toBe(true);
      // Just outside on either side: "pool." < "pool/" < "pool0".
      await write(store, put(`${prefix}pool.`), put(`${prefix}pool0`));
      expect(await holds(store, { kind: 'quiet', prefix: range, since: second })).toBe(true);
    },
  },
  {
    name: 'quiet: a deletion goes unseen, so a claim must be a key',
    run: async ({ store, prefix }) => {
      const revision = await write(store, put(`${prefix}a`));
      await write(store, remove(`${prefix}a`));
      expect(await holds(store, { kind: 'quiet', prefix, since: revision })).toBe(true);
    },
  },
  {
    name: 'vacant: holds while no key is in the span, its end outside',
    run: async ({ store, prefix }) => {
      const vacant = { kind: 'vacant', span: { from: `${prefix}b`, before: `${prefix}d` } } as const;
      await write(store, put(`${prefix}a`), put(`${prefix}d`));
      expect(await holds(store, vacant)).toBe(true);
      await write(store, put(`${prefix}b`));
      expect(await holds(store, vacant)).toBe(false);
      await write(store, remove(`${prefix}b`), put(`${prefix}c`));
      expect(await holds(store, vacant)).toBe(false);
      await write(store, remove(`${prefix}c`));
      expect(await holds(store, vacant)).toBe(true);
    },
  },
  {
    name: 'a page is the first or the last keys of a span, with or without values, and says whether there are more',
    run: async ({ store, prefix }) => {
      const keys = ['a', 'b', 'c', 'd'].map((letter) => `${prefix}${letter}`);
      const revision = await write(store, ...keys.map((key) => put(key, `of ${key}`)));
      const span = { from: `${prefix}a`, before: `${prefix}d` };
      const read = async (options: PageOptions): Promise<readonly unknown[]> => {
        const { kvs, more, revision: at } = await store.page(span, options);
        expect(at).toBe(revision);
        return [...kvs.map(({ key, value }) => [key.slice(prefix.length), keyText(value) !== '']), more];
      };
      expect(await read({ limit: 2 })).toEqual([['a', true], ['b', true], true]);
      expect(await read({ limit: 3 })).toEqual([['a', true], ['b', true], ['c', true], false]);
      expect(await read({ limit: 2, newest: true })).toEqual([['c', true], ['b', true], true]);
      expect(await read({ limit: 9, keysOnly: true })).toEqual([['a', false], ['b', false], ['c', false], false]);
    },
  },
  {
    name: 'all compares must hold',
    run: async ({ store, prefix }) => {
      const revision = await write(store, put(`${prefix}a`));
      const good = { kind: 'unchanged', key: `${prefix}a`, modRevision: revision } as const;
      expect(await holds(store, good, { kind: 'absent', key: `${prefix}b` })).toBe(true);
      expect(await holds(store, good, { kind: 'absent', key: `${prefix}a` })).toBe(false);
    },
  },
  {
    name: 'a race for one claim has one winner',
    run: async ({ store, witness, prefix }) => {
      const key = `${prefix}addr`;
      const claim = (value: number) =>
        (value % 2 === 0 ? store : witness).txn([{ kind: 'absent', key }], [put(key, String(value))]);
      const results = await Promise.all(Array.from({ length: 20 }, (_, value) => claim(value)));
      const winners = results.flatMap(({ succeeded }, value) => (succeeded ? [String(value)] : []));
      expect(winners).toEqual([await read(store, key)]);
    },
  },
  {
    name: 'as many compares and writes as it says go in one transaction, one more does not',
    run: async ({ store, prefix }) => {
      const { maxTxnOps } = store;
      const keys = Array.from({ length: maxTxnOps }, (_, index) => `${prefix}${String(index).padStart(4, '0')}`);
      const absent = keys.map((key) => ({ kind: 'absent', key }) as const);
      expect(
        (
          await store.txn(
            absent,
            keys.map((key) => put(key)),
          )
        ).succeeded,
      ).toBe(true);
      expect(await under(store, prefix)).toHaveLength(maxTxnOps);
      const more = [...keys, `${prefix}more`];
      const error = await failure(
        store.txn(
          [],
          more.map((key) => put(key)),
        ),
      );
      expect(error).toMatchObject({ code: 'invalid-argument' });
      expect(await under(store, prefix)).toHaveLength(maxTxnOps);
    },
  },
  {
    name: 'a key written twice in one transaction is refused, whatever the writes are',
    run: async ({ store, prefix }) => {
      const key = `${prefix}a`;
      for (const writes of [
        [put(key, '1'), put(key, '2')],
        [put(key), remove(key)],
        [remove(key), put(key)],
        [remove(key), remove(key)],
      ])
        expect(await failure(store.txn([], writes))).toMatchObject({ code: 'invalid-argument' });
      expect(await read(store, key)).toBeUndefined();
    },
  },
  {
    name: 'more than a request can carry is refused for certain',
    run: async ({ store, prefix }) => {
      const key = `${prefix}big`;
      await write(store, put(key, 'x'.repeat(1024 * 1024)));
      const error = await failure(store.txn([], [put(key, 'y'.repeat(3 * 1024 * 1024))]));
      expect(error).toMatchObject({ code: 'message-too-large' });
      expect((await read(store, key))?.length).toBe(1024 * 1024);
    },
  },
  {
    name: 'a snapshot longer than a page is whole, in key order, and of the prefix only',
    run: async ({ store, prefix, limits }) => {
      const count = 2 * limits.pageSize + 1;
      const keys = Array.from({ length: count }, (_, index) => `${prefix}list/${String(index).padStart(4, '0')}`);
      for (let at = 0; at < count; at += store.maxTxnOps)
        await write(store, ...keys.slice(at, at + store.maxTxnOps).map((key) => put(key, key)));
      const revision = await write(store, put(`${prefix}list.`), put(`${prefix}list0`));
      const follower = new Follower(store, `${prefix}list/`);
      await follower.until(({ snapshots }) => snapshots === 1);
      const [snapshot] = follower.changes;
      expect(snapshot).toMatchObject({ kind: 'snapshot', revision });
      expect(snapshot?.kind === 'snapshot' && snapshot.kvs.map(({ key }) => key)).toEqual(keys);
      await follower.stop();
    },
  },
];
