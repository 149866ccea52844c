import type { Catalog, Item, ItemChange } from './object-cache.ts';
import { forgotten } from './object-cache.ts';

export type WatchEvent<I extends Item> =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'REMOVED';
      readonly item: I;
      readonly revision: bigint;
      /** Others of the same revision follow. */
      readonly more: boolean;
    }
  | { readonly type: 'BOOKMARK'; readonly revision: bigint; readonly more: false };

export interface Watch<I extends Item> {
  /** Changes after this revision; 0: first all there is. */
  readonly from: bigint;
  readonly matches: (item: I) => boolean;
  /** Of the catalog's view. */
  readonly revision: () => bigint;
}

/** A watch that has nothing to tell for so many changes tells how far it is, lest the place to resume from be forgotten. */
export const bookmarkEvery = 1_000;

/**
 * All changes after a revision, none left out and none twice, until the signal aborts. The bookmark where they begin tells
 * that it has begun. What it holds for a reader that
 * does not read is its place: one that falls behind what the catalog remembers is told so.
 * @throws CausewayError revision-compacted, shutting-down
 */
export async function* watch<I extends Item>(
  catalog: Pick<Catalog<I>, 'lineage' | 'remembers' | 'page' | 'next' | 'changed'>,
  { from, matches, revision }: Watch<I>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<I>, void> {
  const { lineage } = catalog;
  let at = from;
  if (from === 0n) {
    at = revision();
    const { items } = catalog.page({ at, size: Number.POSITIVE_INFINITY, matches });
    for (const item of items) yield { type: 'ADDED', item, revision: at, more: true };
  } else if (!catalog.remembers(at)) {
    throw forgotten(at, revision());
  }
  yield { type: 'BOOKMARK', revision: at, more: false };
  let untold = 0;
  while (!signal.aborted) {
    if (catalog.lineage !== lineage) throw forgotten(at, revision());
    const changes = catalog.next(at);
    const [first] = changes;
    if (first === undefined) {
      await catalog.changed(signal);
      continue;
    }
    at = first.revision;
    const events = changes.map((change) => eventOf(change, matches)).filter((event) => event !== undefined);
    for (const [i, event] of events.entries()) yield { ...event, revision: at, more: i < events.length - 1 };
    untold = events.length > 0 ? 0 : untold + changes.length;
    if (untold < bookmarkEvery) continue;
    yield { type: 'BOOKMARK', revision: at, more: false };
    untold = 0;
  }
}

/** What a change is to somebody who sees only what matches; undefined: nothing. */
function eventOf<I extends Item>(
  { before, after }: ItemChange<I>,
  matches: (item: I) => boolean,
): { readonly type: 'ADDED' | 'MODIFIED' | 'REMOVED'; readonly item: I } | undefined {
  const was = before !== undefined && matches(before);
  if (after !== undefined && matches(after)) return { type: was ? 'MODIFIED' : 'ADDED', item: after };
  return was ? { type: 'REMOVED', item: before } : undefined;
}
