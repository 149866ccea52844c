/** Which objects of a kind to list, as the command line gives it. */
export interface ListQuery {
  /** Selects by labels; empty: all. */
  readonly selector: string;
  /** Selects by fields; empty: all. */
  readonly field: string;
  /** How many objects to ask for at once; absent: the manager decides. */
  readonly pageSize?: number;
  /** Maximum number of objects; absent: no limit. */
  readonly limit?: number;
}

export interface Listed<Item> {
  readonly items: readonly Item[];
  /** What to say about the objects beyond the limit. */
  readonly notes: readonly string[];
}

export const everything: ListQuery = { selector: '', field: '' };

/** A manager returns at most this many objects at once. */
export const largestPage = 1_000;

/** The part of a request that is the same for all kinds of objects. */
interface PageRequest {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** Lists page by page: all objects, or as many as the limit allows. */
export async function listAll<Item>(
  { selector, field, pageSize = 0, limit }: ListQuery,
  ask: (request: PageRequest) => Promise<Page<Item>>,
): Promise<Listed<Item>> {
  const all: Item[] = [];
  const request = { labelSelector: selector, fieldSelector: field };
  for (let pageToken = ''; ; ) {
    const size = limit === undefined ? pageSize : Math.min(pageSize || largestPage, limit - all.length);
    const { items, nextPageToken } = await ask({ ...request, pageSize: size, pageToken });
    all.push(...items);
    if (nextPageToken === '') return { items: all, notes: [] };
    if (all.length === limit) return { items: all, notes: [`there are more than these ${limit}`] };
    pageToken = nextPageToken;
  }
}
