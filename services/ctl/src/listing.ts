/** Which objects of a kind, in the words of the command line. */
export interface Wanted {
  /** By labels; empty: all. */
  readonly selector: string;
  /** By fields; empty: all. */
  readonly field: string;
  /** How many to ask for at once; absent: the manager decides. */
  readonly pageSize?: number;
  /** No more than so many. */
  readonly limit?: number;
}

export interface Listed<Item> {
  readonly items: readonly Item[];
  /** What to say of those beyond the limit. */
  readonly notes: readonly string[];
}

export const everything: Wanted = { selector: '', field: '' };

/** More at once a manager does not answer. */
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

/** Page by page: all, or as many as the limit says. */
export async function listAll<Item>(
  { selector, field, pageSize = 0, limit }: Wanted,
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
