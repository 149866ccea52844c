import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Compare, defaultTxnOps, type Write } from '../store/store.ts';
import { merge, type Transaction, takeBatch } from './merge.ts';

const bytes = new Uint8Array();
const put = (key: string): Write => ({ kind: 'put', key, value: bytes });
const absent = (key: string): Compare => ({ kind: 'absent', key });
const unchanged = (key: string, modRevision = 1n): Compare => ({ kind: 'unchanged', key, modRevision });
const quiet = (prefix: string): Compare => ({ kind: 'quiet', prefix, since: 1n });
const vacant = (from: string): Compare => ({ kind: 'vacant', span: { from, before: 'q/2' } });
const claim = (key: string): Transaction => ({ compares: [absent(key)], writes: [put(key)], events: [] });

interface Case {
  readonly name: string;
  readonly waiting: readonly Transaction[];
  /** Positions taken into the first batch. */
  readonly together: readonly number[];
}

const cases: readonly Case[] = [
  { name: 'different claims', waiting: [claim('a'), claim('b')], together: [0, 1] },
  { name: 'the same claim', waiting: [claim('a'), claim('a')], together: [0] },
  {
    name: 'one reads what the other writes',
    waiting: [
      { compares: [], writes: [put('n')], events: [] },
      { compares: [unchanged('n')], writes: [put('a')], events: [] },
    ],
    together: [0],
  },
  {
    name: 'one writes what the other read',
    waiting: [
      { compares: [unchanged('n')], writes: [put('a')], events: [] },
      { compares: [], writes: [put('n')], events: [] },
    ],
    together: [0],
  },
  {
    name: 'both read the same',
    waiting: [
      { compares: [unchanged('n')], writes: [put('a')], events: [] },
      { compares: [unchanged('n')], writes: [put('b')], events: [] },
    ],
    together: [0, 1],
  },
  {
    name: 'a write under a quiet prefix',
    waiting: [{ compares: [quiet('p/')], writes: [put('x')], events: [] }, claim('p/1')],
    together: [0],
  },
  {
    name: 'a quiet prefix over a write',
    waiting: [claim('p/1'), { compares: [quiet('p/')], writes: [put('x')], events: [] }],
    together: [0],
  },
  {
    name: 'no call overtakes a call that it conflicts with',
    waiting: [claim('a'), { compares: [absent('a')], writes: [put('b')], events: [] }, claim('b'), claim('c')],
    together: [0, 3],
  },
];

describe('takeBatch', () => {
  test.each(cases)('$name', ({ waiting, together }) => {
    const { batch, rest } = takeBatch(waiting, defaultTxnOps);
    expect(batch).toEqual(together.map((i) => waiting[i]));
    expect([...batch, ...rest]).toHaveLength(waiting.length);
  });

  test('keeps within what one record of events can hold', () => {
    const events = Array<string>(100).fill('{}');
    const waiting = ['a', 'b', 'c'].map((key): Transaction => ({ ...claim(key), events }));
    const { batch } = takeBatch(waiting, defaultTxnOps);
    expect(batch).toHaveLength(2);
    expect(merge(batch).events).toHaveLength(200);
  });

  test('keeps within what a transaction can hold, the fence and the record of events included', () => {
    const waiting = Array.from({ length: 300 }, (_, i) => claim(`k${i}`));
    const { batch, rest } = takeBatch(waiting, defaultTxnOps);
    expect(merge(batch).compares).toHaveLength(defaultTxnOps - 2);
    expect(rest).toHaveLength(300 - batch.length);
  });

  test('counts a compare that several share once', () => {
    const waiting = Array.from({ length: 100 }, (_, i) => ({
      compares: [unchanged('n'), absent(`k${i}`)],
      writes: [put(`k${i}`)],
      events: [],
    }));
    expect(merge(takeBatch(waiting, defaultTxnOps).batch).compares).toHaveLength(101);
  });

  test('keeps within what a request may weigh, and always takes one', () => {
    const heavy = (key: string): Transaction => ({
      compares: [],
      writes: [{ kind: 'put', key, value: new Uint8Array(700_000) }],
      events: [],
    });
    const huge: Transaction = {
      compares: [],
      writes: [{ kind: 'put', key: 'h', value: new Uint8Array(2_000_000) }],
      events: [],
    };
    expect(takeBatch([heavy('a'), heavy('b')], defaultTxnOps).batch).toHaveLength(1);
    expect(takeBatch([huge, heavy('b')], defaultTxnOps).batch).toEqual([huge]);
  });

  test('in batches or one by one: the same is written, in any mixture of claims, changes and scans', () => {
    const keyOf = fc.constantFrom('p/1', 'p/2', 'q/1', 'q/2');
    const compare = fc.oneof(
      keyOf.map(absent),
      fc.constantFrom('p/', 'q/').map(quiet),
      keyOf.map(vacant),
      keyOf.map((key) => unchanged(key, 1n)),
    );
    const transaction = fc.record({
      compares: fc.array(compare, { maxLength: 2 }),
      writes: fc.uniqueArray(keyOf, { minLength: 1, maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(transaction, { maxLength: 8 }), fc.uniqueArray(keyOf), (drafts, present) => {
        const waiting = drafts.map(({ compares, writes }) => ({ compares, writes: writes.map(put), events: [] }));
        const grouped = new Map(present.map((key) => [key, 1n]));
        const single = new Map(grouped);
        const results = new Map<Transaction, boolean>();
        let rest: readonly Transaction[] = waiting;
        while (rest.length > 0) {
          const taken = takeBatch(rest, defaultTxnOps);
          rest = taken.rest;
          const whole = run(grouped, merge(taken.batch));
          for (const one of taken.batch) results.set(one, whole || run(grouped, one));
        }
        for (const one of waiting) expect(run(single, one)).toBe(results.get(one));
        expect([...grouped.keys()].sort()).toEqual([...single.keys()].sort());
      }),
    );
  });
});

/** A store of keys and mod revisions: 1 is before the test, 2 is anything written in it. */
function run(store: Map<string, bigint>, { compares, writes }: Transaction): boolean {
  const holds = (compare: Compare): boolean => {
    switch (compare.kind) {
      case 'absent':
        return !store.has(compare.key);
      case 'unchanged':
        return store.get(compare.key) === compare.modRevision;
      case 'quiet':
        return [...store].every(([key, revision]) => !key.startsWith(compare.prefix) || revision <= compare.since);
      case 'vacant':
        return ![...store.keys()].some((key) => key >= compare.span.from && key < compare.span.before);
      case 'created':
        return false;
    }
  };
  if (!compares.every(holds)) return false;
  for (const { key } of writes) store.set(key, 2n);
  return true;
}
