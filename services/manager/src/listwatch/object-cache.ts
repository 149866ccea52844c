import { CausewayError } from '@causeway/model';
import { Notifier } from '@causeway/runtime';
import type { Item } from '../store/records/listed.ts';

export type { Item } from '../store/records/listed.ts';

/** A change of one item at one revision: added (no `before`), changed, or removed (no `after`). */
export interface ItemChange<I extends Item> {
  readonly revision: bigint;
  readonly before?: I;
  readonly after?: I;
}

/** A position in a list: directly after the object with this name and id. */
export interface ListPosition {
  readonly name: string;
  readonly id: string;
}

interface Window<I extends Item> {
  /** Revision at which the list is read. The cache must still remember all changes after it. */
  readonly at: bigint;
  /** The page begins after this position; absent: at the beginning. */
  readonly after?: ListPosition;
  readonly size: number;
  readonly matches: (item: I) => boolean;
}

/**
 * Number of changes remembered for each kind of object. It limits how old the list of a page may be, and how far a watch
 * may be behind. At 10,000 attaches a minute these are the changes of the last minute. At most 20,000 changes of some 500
 * bytes are 10 MB.
 */
export const keptChanges = 10_000;

export interface ObjectCacheSettings {
  /** The cache remembers at least this many changes, and at most twice as many. */
  readonly kept: number;
}

/** All objects of one kind, in order, with their latest changes. */
export class ObjectCache<I extends Item> {
  readonly #kept: number;
  readonly #items = new Map<string, I>();
  /** Sorted by name, then id. Built when a list is first requested, and kept in order from then on. */
  #sorted: I[] | undefined;
  #changes: ItemChange<I>[] = [];
  /** Changes up to this revision are forgotten. */
  #floor = 0n;
  #generation = 0;
  readonly #notifier = new Notifier();
  #ended = false;

  constructor(settings: ObjectCacheSettings) {
    this.#kept = settings.kept;
  }

  get all(): ReadonlyMap<string, I> {
    return this.#items;
  }

  /** Replaces all items and forgets all changes. */
  reset(revision: bigint, items: Iterable<I>): void {
    this.#items.clear();
    for (const item of items) this.#items.set(item.value.id, item);
    this.#sorted = undefined;
    this.#changes = [];
    this.#floor = revision;
    this.#generation++;
    this.#notifier.notify();
  }

  set(after: I, revision: bigint): void {
    const before = this.#items.get(after.value.id);
    this.#items.set(after.value.id, after);
    if (before !== undefined) this.#takeOut(before);
    this.#sorted?.splice(placeOf(this.#sorted, after.value), 0, after);
    this.#remember(before === undefined ? { revision, after } : { revision, before, after });
  }

  delete(id: string, revision: bigint): void {
    const before = this.#items.get(id);
    if (before === undefined) return;
    this.#items.delete(id);
    this.#takeOut(before);
    this.#remember({ revision, before });
  }

  /** Rises with each `reset`: changes that were read before a reset do not lead to the items after it. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether all changes after that revision are still remembered. */
  remembers(revision: bigint): boolean {
    return revision >= this.#floor;
  }

  /** Items in order, and whether more items follow. */
  page({ at, after, size, matches }: Window<I>): { readonly items: readonly I[]; readonly more: boolean } {
    const items: I[] = [];
    for (const item of this.#from(at, after)) {
      if (!matches(item)) continue;
      if (items.length === size) return { items, more: true };
      items.push(item);
    }
    return { items, more: false };
  }

  /**
   * All changes of the first revision after `after` in which anything changed; empty when there is none yet.
   * @throws CausewayError revision-compacted
   */
  next(after: bigint): readonly ItemChange<I>[] {
    if (!this.remembers(after)) throw forgotten(after, this.#floor);
    const first = lowerBound(this.#changes, (change) => change.revision > after);
    const revision = this.#changes[first]?.revision;
    if (revision === undefined) return [];
    let end = first;
    while (this.#changes[end]?.revision === revision) end++;
    return this.#changes.slice(first, end);
  }

  /** Resolves when something may have changed, or the signal aborts. @throws CausewayError shutting-down */
  async changed(signal: AbortSignal): Promise<void> {
    if (!this.#ended) await this.#notifier.wait(signal);
    if (this.#ended) throw new CausewayError('shutting-down', 'this manager is stopping: ask another');
  }

  /** Ends all waits for changes. */
  end(): void {
    this.#ended = true;
    this.#notifier.notify();
  }

  /** The items as they were at revision `at`, in order: later changes are undone. */
  *#from(at: bigint, after: ListPosition | undefined): Generator<I, void> {
    this.#sorted ??= [...this.#items.values()].sort(compare);
    const sorted = this.#sorted;
    const past = this.#changedSince(at);
    const others = [...past.values()].filter((item) => item !== undefined).sort(compare);
    const begin = (items: readonly I[]): number => (after === undefined ? 0 : placeBehind(items, after));
    let next = begin(others);
    for (let i = begin(sorted); i < sorted.length; i++) {
      const item = sorted[i];
      if (item === undefined || past.has(item.value.id)) continue;
      for (let other = others[next]; other !== undefined && compare(other, item) < 0; other = others[++next])
        yield other;
      yield item;
    }
    yield* others.slice(next);
  }

  /** For each item that changed after revision `at`: the item as it was at that revision; undefined: it did not exist. */
  #changedSince(at: bigint): ReadonlyMap<string, I | undefined> {
    const past = new Map<string, I | undefined>();
    const first = lowerBound(this.#changes, (change) => change.revision > at);
    for (const { before, after } of this.#changes.slice(first)) {
      const id = (before ?? after)?.value.id ?? '';
      if (!past.has(id)) past.set(id, before);
    }
    return past;
  }

  #takeOut(item: I): void {
    this.#sorted?.splice(placeOf(this.#sorted, item.value), 1);
  }

  /** Forgets half of the changes at a time, so that the cost of each change is constant on average. */
  #remember(change: ItemChange<I>): void {
    this.#changes.push(change);
    if (this.#changes.length >= 2 * this.#kept) {
      const gone = this.#changes.splice(0, this.#changes.length - this.#kept);
      this.#floor = gone.at(-1)?.revision ?? this.#floor;
    }
    this.#notifier.notify();
  }
}

/** The refusal for a reader at `revision` when the changes up to `floor` are forgotten. */
export function forgotten(revision: bigint, floor: bigint): CausewayError {
  const message = `changes since revision ${revision} are not kept any more, only those since ${floor}: list again, and watch from the revision of that list`;
  return new CausewayError('revision-compacted', message, { revision: `${revision}`, oldest: `${floor}` });
}

/** Names and ids are ASCII: the order of their characters is the order in which clients sort them. */
function compare(a: Item, b: Item): number {
  return comparePlaces(a.value, b.value);
}

function comparePlaces(a: ListPosition, b: ListPosition): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

function placeOf(sorted: readonly Item[], place: ListPosition): number {
  return lowerBound(sorted, (item) => comparePlaces(item.value, place) >= 0);
}

function placeBehind(sorted: readonly Item[], place: ListPosition): number {
  return lowerBound(sorted, (item) => comparePlaces(item.value, place) > 0);
}

/** Index of the first element for which `is` holds. `is` must hold for all elements after it, too. */
function lowerBound<Value>(values: readonly Value[], is: (value: Value) => boolean): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = values[middle];
    if (value !== undefined && is(value)) high = middle;
    else low = middle + 1;
  }
  return low;
}
