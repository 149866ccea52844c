import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ListOracle, type ListWrite, listSteps, printItem } from '../testing/list-oracle.ts';
import type { Item, ObjectCache } from './object-cache.ts';
import { bookmarkEvery, type WatchEvent, watch } from './watch.ts';

const kinds = ['network', 'endpoint', 'node'] as const;
type Kind = (typeof kinds)[number];
type Matches = (item: Item) => boolean;

const any: Matches = () => true;
const selectors: Matches[] = [
  any,
  ({ value }) => /[02]$/.test(value.name),
  (item) => 'names' in item && JSON.stringify(item.names).includes('1'),
];

/** A copy of a list that is updated only by the events of a watch. Each event must change the copy. */
class Copy {
  readonly #items = new Map<string, string>();

  constructor(list: readonly Item[]) {
    for (const item of list) this.#items.set(item.value.id, printItem(item));
  }

  take(event: WatchEvent<Item>): void {
    if (event.type === 'BOOKMARK') return;
    const { id } = event.item.value;
    expect([event.type, this.#items.has(id)]).toEqual([event.type, event.type !== 'ADDED']);
    if (event.type === 'REMOVED') this.#items.delete(id);
    else this.#items.set(id, printItem(event.item));
  }

  get list(): readonly string[] {
    return [...this.#items.values()].sort();
  }
}

/** The events of a watch until it would wait. */
async function listEvents(oracle: ListOracle, kind: Kind, from: bigint, matches = any): Promise<WatchEvent<Item>[]> {
  const cache: ObjectCache<Item> = oracle.caches.of(kind);
  const caughtUp = new AbortController();
  const source = {
    generation: cache.generation,
    remembers: cache.remembers.bind(cache),
    page: cache.page.bind(cache),
    next: cache.next.bind(cache),
    changed: async () => caughtUp.abort(),
  };
  const events: WatchEvent<Item>[] = [];
  const options = { from, matches, revision: () => oracle.view.revision };
  for await (const event of watch(source, options, caughtUp.signal)) events.push(event);
  return events;
}

const net = (n: number, name = n): ListWrite => ({ act: 'network', n, name });
const brief = (event: WatchEvent<Item>): string =>
  `${event.type}${event.type === 'BOOKMARK' ? '' : ` ${event.item.value.name}`} ${event.revision}${event.more ? ' …' : ''}`;

describe('a watch', () => {
  test('leads from every remembered list to every later one, through any selector, and from nothing to the last', async () => {
    await fc.assert(
      fc.asyncProperty(
        listSteps,
        fc.constantFrom(...kinds),
        fc.constantFrom(...selectors),
        async (script, kind, matches) => {
          const oracle = new ListOracle();
          for (const step of script) {
            if (step.kind === 'reset') oracle.reset();
            else oracle.commit(step.revisions);
          }
          const cache: ObjectCache<Item> = oracle.caches.of(kind);
          const listAt = (at: bigint) => cache.page({ at, size: Number.POSITIVE_INFINITY, matches }).items;
          const last = listAt(oracle.revision).map(printItem);
          for (const from of oracle.lists.keys()) {
            if (!cache.remembers(from)) continue;
            const copy = new Copy(listAt(from));
            for (const event of await listEvents(oracle, kind, from, matches)) {
              copy.take(event);
              if (!event.more) expect(copy.list).toEqual(listAt(event.revision).map(printItem));
            }
            expect(copy.list).toEqual(last);
          }
          const copy = new Copy([]);
          for (const event of await listEvents(oracle, kind, 0n, matches)) copy.take(event);
          expect(copy.list).toEqual(last);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('from 0: all there is, a bookmark, then what happens; whole revisions are marked', async () => {
    const oracle = new ListOracle();
    oracle.commit([[net(0), net(1)]]);
    expect((await listEvents(oracle, 'network', 0n)).map(brief)).toEqual([
      'ADDED n0 2 …',
      'ADDED n1 2 …',
      'BOOKMARK 2',
    ]);
    oracle.commit([[net(0, 9), { act: 'drop-network', n: 1 }], [net(2)]]);
    expect((await listEvents(oracle, 'network', 2n)).map(brief)).toEqual([
      'BOOKMARK 2',
      'MODIFIED n9 3 …',
      'REMOVED n1 3',
      'ADDED n2 4',
    ]);
  });

  test('what begins or ceases to match is added or removed', async () => {
    const oracle = new ListOracle();
    oracle.commit([[net(0, 1)], [net(0, 2)], [net(0, 3)], [net(0, 1)]]);
    const even: Matches = ({ value }) => /[02468]$/.test(value.name);
    expect((await listEvents(oracle, 'network', 1n, even)).map(brief)).toEqual([
      'BOOKMARK 1',
      'ADDED n2 3',
      'REMOVED n2 4',
    ]);
  });

  test('a new name of a network or host is a change of its endpoints', async () => {
    const oracle = new ListOracle();
    oracle.commit([
      [net(0), { act: 'node', n: 0, name: 0 }],
      [{ act: 'endpoint', n: 5, network: 0, node: 0, name: 5 }],
    ]);
    oracle.commit([[net(0, 7)], [{ act: 'node', n: 0, name: 7 }]]);
    const events = await listEvents(oracle, 'endpoint', 3n);
    expect(
      events.slice(1).map((event) => event.type !== 'BOOKMARK' && 'names' in event.item && event.item.names),
    ).toEqual([
      { network: 'n7', host: 'h0' },
      { network: 'n7', host: 'h7' },
    ]);
  });

  test('a reader that falls behind is cut, and holds nothing', async () => {
    const oracle = new ListOracle();
    const cache: ObjectCache<Item> = oracle.caches.of('network');
    const options = { from: 0n, matches: any, revision: () => oracle.view.revision };
    const slow = watch(cache, options, new AbortController().signal);
    expect((await slow.next()).value).toMatchObject({ type: 'BOOKMARK', revision: 1n });
    for (let i = 0; i < 20; i++) oracle.commit([[net(0, i)]]);
    await expect(slow.next()).rejects.toMatchObject({ code: 'revision-compacted' });
  });

  test('a view that begins anew ends it, be it at a later revision or an earlier one', async () => {
    const oracle = new ListOracle();
    const cache: ObjectCache<Item> = oracle.caches.of('network');
    const options = { from: 1n, matches: any, revision: () => oracle.view.revision };
    const events = watch(cache, options, new AbortController().signal);
    await events.next();
    const next = events.next();
    oracle.view.apply({ kind: 'snapshot', revision: 1n, kvs: [] });
    await expect(next).rejects.toMatchObject({ code: 'revision-compacted' });
  });

  test('a long run of changes that do not match gives a bookmark', async () => {
    const oracle = new ListOracle({ kept: 2 * bookmarkEvery });
    for (let i = 0; i < bookmarkEvery + 5; i++) oracle.commit([[net(0, i)]]);
    const revision = BigInt(bookmarkEvery) + 1n;
    expect((await listEvents(oracle, 'network', 1n, () => false)).map(brief)).toEqual([
      'BOOKMARK 1',
      `BOOKMARK ${revision}`,
    ]);
  });

  test('ends with its reader, and with its manager', async () => {
    const oracle = new ListOracle();
    const cache: ObjectCache<Item> = oracle.caches.of('network');
    const options = { from: 1n, matches: any, revision: () => oracle.view.revision };
    const gone = new AbortController();
    const leaving = watch(cache, options, gone.signal);
    await leaving.next();
    const left = leaving.next();
    gone.abort();
    expect(await left).toEqual({ done: true, value: undefined });
    const staying = watch(cache, options, new AbortController().signal);
    await staying.next();
    const stopped = staying.next();
    oracle.caches.end();
    await expect(stopped).rejects.toMatchObject({ code: 'shutting-down' });
  });
});
