import { CausewayError } from '@causeway/model';
import type { ListPosition } from './object-cache.ts';

/** Where the next page begins, and to which list it belongs. */
export interface PageToken {
  /** The request, field by field: the next page must be of the same request. */
  readonly query: Readonly<Record<string, string>>;
  readonly revision: bigint;
  readonly after: ListPosition;
}

/** Text that is opaque to clients. */
export function formatPageToken({ query, revision, after: { name, id } }: PageToken): string {
  const bytes = new TextEncoder().encode(JSON.stringify([query, `${revision}`, name, id]));
  return btoa(String.fromCharCode(...bytes));
}

/** @throws CausewayError invalid-argument: the text is not a token of ours, or the request differs in the named field */
export function parsePageToken(text: string, query: PageToken['query']): PageToken {
  const token = read(text);
  if (token === undefined)
    throw new CausewayError('invalid-argument', 'page_token was not returned by a list', {
      field: 'page_token',
    });
  for (const field of Object.keys({ ...token.query, ...query })) {
    if (token.query[field] === query[field]) continue;
    const message = `${field} differs from the request that returned this page_token: repeat that request unchanged, or begin a new list without page_token`;
    throw new CausewayError('invalid-argument', message, { field });
  }
  return token;
}

function read(text: string): PageToken | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const [query, revision, name, id] = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes),
    ) as unknown[];
    if (typeof query !== 'object' || query === null || typeof name !== 'string' || typeof id !== 'string')
      return undefined;
    if (typeof revision !== 'string' || !/^\d{1,18}$/.test(revision)) return undefined;
    return { query: query as Record<string, string>, revision: BigInt(revision), after: { name, id } };
  } catch {
    return undefined;
  }
}
