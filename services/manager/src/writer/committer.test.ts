import { CausewayError } from '@causeway/model';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { EventOrder } from '../events/order.ts';
import { encodeText } from '../store/codec.ts';
import { Keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import type { Compare, Write } from '../store/store.ts';
import { View } from '../store/view.ts';
import { Committer } from './committer.ts';
import type { Transaction } from './merge.ts';

const keys = new Keys();

function put(key: string): Write {
  return { kind: 'put', key, value: encodeText(key) };
}

function claim(key: string): Transaction {
  return { compares: [{ kind: 'absent', key }], writes: [put(key)], events: [] };
}

/** A leader's committer on a store that takes so many writes at once, and that counts its transactions. */
async function leading(most: number) {
  const clock = new FakeClock();
  const memory = new MemoryStore({ clock });
  const { revision: term } = await memory.txn([], [put(keys.leader)]);
  const sizes: number[] = [];
  const store = {
    maxTxnOps: memory.maxTxnOps,
    get: memory.get.bind(memory),
    page: memory.page.bind(memory),
    txn: async (compares: readonly Compare[], writes: readonly Write[]) => {
      sizes.push(writes.length);
      if (writes.length > most) throw new CausewayError('invalid-argument', 'too many operations in txn request');
      return await memory.txn(compares, writes);
    },
  };
  const parts = { store, view: new View(), keys, order: new EventOrder(keys), clock, log: new MemoryLog() };
  return { committer: new Committer(parts, { term }), sizes };
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

  test('what no member takes fails alone', async () => {
    const { committer } = await leading(1);
    const large: Transaction = { compares: [], writes: [put('x'), put('y')], events: [] };
    const outcomes = await Promise.all([committer.commit(large), committer.commit(claim('a'))]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['failed', 'committed']);
  });
});
