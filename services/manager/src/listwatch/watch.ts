import type { Item, ItemChange, ObjectCache } from './object-cache.ts';
import { forgotten } from './object-cache.ts';

export type WatchEvent<I extends Item> =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'REMOVED';
      readonly item: I;
      readonly revision: bigint;
      /** More events of the same revision follow. */
      readonly more: boolean;
    }
  | { readonly type: 'BOOKMARK'; readonly revision: bigint; readonly more: false };

interface Watch<I extends Item> {
  /** Deliver changes after this revision; 0: first deliver all items that exist. */
  readonly from: bigint;
  readonly matches: (item: I) => boolean;
  /** Revision of the cache's view. */
  readonly revision: () => bigint;
}

/**
 * After this many changes that do not match, a watch sends a bookmark. Otherwise the cache could forget the revision from
 * which the reader resumes.
 */
export const bookmarkEvery = 1_000;

/**
 * All changes after a revision, each exactly once, until the signal aborts. The changes are preceded by a bookmark. For a
 * slow reader the watch keeps only the reader's revision: a reader that falls behind what the cache remembers gets an
 * error.
 * @throws CausewayError revision-compacted, shutting-down
 */
export async function* watch<I extends Item>(
  cache: Pick<ObjectCache<I>, 'generation' | 'remembers' | 'page' | 'next' | 'changed'>,
  { from, matches, revision }: Watch<I>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<I>, void> {
  const { generation } = cache;
  let at = from;
  if (from === 0n) {
    at = revision();
    const { items } = cache.page({ at, size: Number.POSITIVE_INFINITY, matches });
    for (const item of items) yield { type: 'ADDED', item, revision: at, more: true };
  } else if (!cache.remembers(at)) {
    throw forgotten(at, revision());
  }
  yield { type: 'BOOKMARK', revision: at, more: false };
  let untold = 0;
  while (!signal.aborted) {
    if (cache.generation !== generation) throw forgotten(at, revision());
    const changes = cache.next(at);
    const [first] = changes;
    if (first === undefined) {
      await cache.changed(signal);
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

/** The event for a reader that sees only items that match; undefined: no event. */
function eventOf<I extends Item>(
  { before, after }: ItemChange<I>,
  matches: (item: I) => boolean,
): { readonly type: 'ADDED' | 'MODIFIED' | 'REMOVED'; readonly item: I } | undefined {
  const was = before !== undefined && matches(before);
  if (after !== undefined && matches(after)) return { type: was ? 'MODIFIED' : 'ADDED', item: after };
  return was ? { type: 'REMOVED', item: before } : undefined;
}
