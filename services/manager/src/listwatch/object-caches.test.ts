import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ListOracle, type ListWrite, listSteps, printItem } from '../testing/list-oracle.ts';
import type { Item, ItemChange, ListPosition, ObjectCache } from './object-cache.ts';

const kinds = ['network', 'endpoint', 'node'] as const;

/** All pages of the list at revision `at`. */
function pages(cache: ObjectCache<Item>, at: bigint, size: number, matches = (_: Item): boolean => true): string[] {
  const all: string[] = [];
  for (let after: ListPosition | undefined; ; ) {
    const { items, more } = cache.page({ at, size, matches, ...(after !== undefined && { after }) });
    all.push(...items.map(printItem));
    if (!more) return all;
    after = items.at(-1)?.value;
  }
}

/** Checks every later list by applying only the changes. */
function replay(cache: ObjectCache<Item>, oracle: ListOracle, kind: (typeof kinds)[number], from: bigint): void {
  const copy = new Set(oracle.lists.get(from)?.[kind]);
  let at = from;
  for (let changes = cache.next(at); changes.length > 0; changes = cache.next(at)) {
    for (const change of changes) apply(copy, change);
    at = changes[0]?.revision ?? at;
    expect([...copy].sort()).toEqual(oracle.lists.get(at)?.[kind]);
  }
  expect([...copy].sort()).toEqual(oracle.lists.get(oracle.revision)?.[kind]);
}

function apply(copy: Set<string>, { before, after }: ItemChange<Item>): void {
  if (before !== undefined) expect(copy.delete(printItem(before))).toBe(true);
  if (after !== undefined) copy.add(printItem(after));
}

describe('lists and their changes, beside a store that remembers every list', () => {
  test('pages of now and of then, and every later list by the changes alone', () => {
    fc.assert(
      fc.property(listSteps, fc.integer({ min: 1, max: 4 }), (script, size) => {
        const oracle = new ListOracle();
        for (const step of script) {
          if (step.kind === 'reset') oracle.reset();
          else oracle.commit(step.revisions);
          for (const kind of kinds) {
            const list = oracle.lists.get(oracle.revision)?.[kind];
            expect(pages(oracle.caches.of(kind), oracle.revision, size)).toEqual(list);
          }
        }
        for (const kind of kinds) {
          const cache: ObjectCache<Item> = oracle.caches.of(kind);
          for (const [revision, lists] of oracle.lists) {
            if (cache.remembers(revision)) {
              expect(pages(cache, revision, size)).toEqual(lists[kind]);
              replay(cache, oracle, kind, revision);
            } else {
              expect(() => cache.next(revision)).toThrow('list again');
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a page is of what matches', () => {
    const oracle = new ListOracle();
    oracle.commit([Array.from({ length: 5 }, (_, n): ListWrite => ({ act: 'network', n, name: n }))]);
    const odd = ({ value }: Item): boolean => Number(value.name.slice(1)) % 2 === 1;
    expect(pages(oracle.caches.of('network'), oracle.revision, 1, odd).map((text) => text.slice(0, 2))).toEqual([
      'n1',
      'n3',
    ]);
  });

  test('a waiter is woken by a change, and by the end of the cache', async () => {
    const oracle = new ListOracle();
    const networks = oracle.caches.of('network');
    const never = new AbortController().signal;
    const waiting = networks.changed(never);
    oracle.commit([[{ act: 'network', n: 1, name: 1 }]]);
    await waiting;
    const leaving = new AbortController();
    const left = networks.changed(leaving.signal);
    leaving.abort();
    await left;
    const ended = networks.changed(never);
    oracle.caches.end();
    await expect(ended).rejects.toMatchObject({ code: 'shutting-down' });
    await expect(networks.changed(never)).rejects.toMatchObject({ code: 'shutting-down' });
  });
});
