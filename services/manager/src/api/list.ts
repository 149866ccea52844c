import type { CallContext } from '../call/context.ts';
import type { Item, ObjectCache } from '../listwatch/object-cache.ts';
import { formatPageToken, parsePageToken } from '../listwatch/page-token.ts';
import { readSelection, type Selectors } from '../listwatch/selection.ts';
import { later } from '../store/moment.ts';
import type { Fields } from '../store/records/listed.ts';
import type { ApiContext } from './modules.ts';

const usualPage = 500;
const largestPage = 1_000;

interface ListRequest extends Selectors {
  readonly atLeast: bigint;
  readonly pageSize: number;
  readonly pageToken: string;
}

/** One kind of objects that can be listed. */
export interface ListOf<I extends Item> {
  readonly cache: ObjectCache<I>;
  readonly fields: Fields<I>;
  /** Further fields of the request that select objects. `read` makes the filter from them, after the view is new enough. */
  readonly filter?: { readonly query: Readonly<Record<string, string>>; read(): (item: I) => boolean };
}

interface Page<I extends Item> {
  readonly items: readonly I[];
  readonly revision: bigint;
  readonly nextPageToken: string;
}

/**
 * A page shows the list at the revision of its first page, while the cache remembers the changes since then. Later it
 * shows the present list from the same position on; the page's revision shows this.
 * @throws CausewayError invalid-argument, timed-out, what the filter throws
 */
export async function listPage<I extends Item>(
  context: ApiContext,
  request: ListRequest,
  { cache, fields, filter }: ListOf<I>,
  call: CallContext,
): Promise<Page<I>> {
  const { atLeast, pageSize, pageToken, labelSelector, fieldSelector } = request;
  const selected = readSelection(request, fields);
  const query = { label_selector: labelSelector, field_selector: fieldSelector, ...filter?.query };
  const token = pageToken === '' ? undefined : parsePageToken(pageToken, query);
  await context.atLeast(later(atLeast, token?.revision ?? 0n), call);
  const within = filter?.read() ?? (() => true);
  const now = context.modules.view.revision;
  const at = token !== undefined && cache.remembers(token.revision) ? token.revision : now;
  const size = Math.min(pageSize === 0 ? usualPage : pageSize, largestPage);
  const matches = (item: I): boolean => within(item) && selected(item);
  const { items, more } = cache.page({ at, size, matches, ...(token !== undefined && { after: token.after }) });
  const last = items.at(-1)?.value;
  const nextPageToken = more && last !== undefined ? formatPageToken({ query, revision: at, after: last }) : '';
  return { items, revision: at, nextPageToken };
}
