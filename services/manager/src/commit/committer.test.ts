import { CausewayError } from '@causeway/model';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { EventOrder } from '../events/order.ts';
import { createKeys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { encodeText } from '../store/records/codec.ts';
import type { Compare, Write } from '../store/store.ts';
import { View } from '../store/view.ts';
import { Committer } from './committer.ts';
import type { Transaction } from './merge.ts';

const keys = createKeys();

function put(key: string): Write {
  return { kind: 'put', key, value: encodeText(key) };
}

function claim(key: string): Transaction {
  return { compares: [{ kind: 'absent', key }], writes: [put(key)], events: [] };
}

/** A leader's committer on a store that accepts `most` writes in one transaction and records the size of each. */
async function leading(most: number) {
  const clock = new FakeClock();
  const memory = new MemoryStore({ clock });
  const { revision: term } = await memory.txn([], [put(keys.leader)]);
  const sizes: number[] = [];
  let reads = 0;
  const store = {
    maxTxnOps: memory.maxTxnOps,
    get: (key: string) => {
      reads++;
      return memory.get(key);
    },
    page: memory.page.bind(memory),
    txn: async (compares: readonly Compare[], writes: readonly Write[]) => {
      sizes.push(writes.length);
      if (writes.length > most) throw new CausewayError('invalid-argument', 'too many operations in txn request');
      return await memory.txn(compares, writes);
    },
  };
  const parts = { store, view: new View(), keys, order: new EventOrder(keys), clock, log: new MemoryLog() };
  return { committer: new Committer(parts, { term }), sizes, store, reads: () => reads };
}

describe('Committer', () => {
  test('what comes in one turn goes in one transaction', async () => {
    const { committer, sizes } = await leading(100);
    const outcomes = await Promise.all(['a', 'b', 'c'].map((key) => committer.commit(claim(key))));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['committed', 'committed', 'committed']);
    expect(sizes).toEqual([3]);
  });

  test('members that take less than the store says get one at a time', async () => {
    const { committer, sizes } = await leading(1);
    const outcomes = await Promise.all(['a', 'b', 'a'].map((key) => committer.commit(claim(key))));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['committed', 'committed', 'conflict']);
    expect(sizes).toEqual([2, 1, 1, 1]);
  });

  test.each([1, 2, 5])(
    'of 256 in a transaction, %i that conflict cost the others some more transactions, not 256',
    async (bad) => {
      const { committer, sizes } = await leading(1_000);
      await committer.commit(claim('taken'));
      sizes.length = 0;
      const isBad = (i: number): boolean => i % Math.ceil(256 / bad) === 100 % Math.ceil(256 / bad);
      const calls = Array.from({ length: 256 }, (_, i): Transaction => {
        const own = claim(`key-${i}`);
        return isBad(i) ? { ...own, compares: [...own.compares, { kind: 'absent', key: 'taken' }] } : own;
      });
      const outcomes = await Promise.all(calls.map((call) => committer.commit(call)));
      const conflicts = outcomes.filter(({ kind }) => kind === 'conflict').length;
      expect(conflicts).toBe(calls.filter((_, i) => isBad(i)).length);
      expect(outcomes.filter(({ kind }) => kind === 'committed')).toHaveLength(256 - conflicts);
      // The store accepts 128 operations in one transaction, so 256 need several batches to begin with.
      expect(sizes.length).toBeLessThanOrEqual(Math.ceil(256 / 126) + conflicts * 2 * 8);
    },
  );

  test('however many ask whether the term lasts, one read after the other answers', async () => {
    const { committer, reads } = await leading(100);
    const first = committer.lasts();
    await Promise.resolve();
    const others = Array.from({ length: 200 }, () => committer.lasts());
    expect(await Promise.all([first, ...others])).toEqual(Array.from({ length: 201 }, () => true));
    expect(reads()).toBeLessThanOrEqual(2);
  });

  test('one that asks while a read is under way is answered by a later one', async () => {
    const { committer, store } = await leading(100);
    const get = store.get;
    const held: (() => void)[] = [];
    store.get = async (key) => {
      const read = await get(key);
      await new Promise<void>((resolve) => held.push(resolve));
      return read;
    };
    const before = committer.lasts();
    await new Promise<void>((resolve) => setImmediate(resolve));
    await store.txn([], [{ kind: 'delete', key: keys.leader }]);
    const after = committer.lasts();
    for (let i = 0; i < 2; i++) {
      held.shift()?.();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect([await before, await after]).toEqual([true, false]);
  });

  test('what no member takes fails alone', async () => {
    const { committer } = await leading(1);
    const large: Transaction = { compares: [], writes: [put('x'), put('y')], events: [] };
    const outcomes = await Promise.all([committer.commit(large), committer.commit(claim('a'))]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['failed', 'committed']);
  });
});
