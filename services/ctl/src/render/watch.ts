import type { Cell, Heading, Stream } from '../answer.ts';
import type { Change } from '../watching.ts';

/** How a changed object is printed: only what the store holds of it. */
export interface Shown<Item> {
  readonly columns: readonly Heading[];
  readonly name: (item: Item) => string;
  readonly value: (item: Item) => object;
  readonly row: (item: Item) => readonly Cell[];
}

const common: readonly Heading[] = [
  { title: 'TYPE', width: 8 },
  { title: 'REVISION', width: 8 },
];

/** Prints at most `limit` changes. Bookmarks are for programs, so only json and yaml print them. */
export function watchStream<Item>(
  changes: AsyncIterable<Change<Item>>,
  shown: Shown<Item>,
  limit = Number.POSITIVE_INFINITY,
): Stream {
  return { columns: [...common, ...shown.columns], parts: parts(changes, shown, limit) };
}

async function* parts<Item>(
  changes: AsyncIterable<Change<Item>>,
  { name, value, row }: Shown<Item>,
  limit: number,
): Stream['parts'] {
  let left = limit;
  for await (const change of changes) {
    const { type, revision } = change;
    if (change.type === 'BOOKMARK') {
      yield { value: { type, revision, object: null } };
      continue;
    }
    const { item } = change;
    yield {
      value: { type, revision, object: value(item) },
      name: name(item),
      row: [type, String(revision), ...row(item)],
    };
    if (--left === 0) return;
  }
}
