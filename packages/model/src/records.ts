import type { Digests } from './digest.ts';
import { endpointDigests } from './endpoint.ts';

export * from './endpoint.ts';
export * from './network.ts';
export * from './node.ts';

/**
 * The kinds of rows in a network's table, which hosts get beside the network itself, and the digests of each.
 * docs/adding-a-record.md describes how to add a kind.
 */
export const rowDigests = { endpoint: endpointDigests } as const;

export type RowKind = keyof typeof rowDigests;
export const rowKinds = Object.keys(rowDigests) as readonly RowKind[];

export type RowTypes = {
  readonly [Kind in RowKind]: (typeof rowDigests)[Kind] extends Digests<infer Row> ? Row : never;
};
export type AnyRow = RowTypes[RowKind];

/** All rows of a table, by id. */
export type Rows = { readonly [Kind in RowKind]: ReadonlyMap<string, RowTypes[Kind]> };

/** The same for code that treats all kinds alike; `table[kind]` holds only rows of that kind. */
export type RowMaps = Readonly<Record<RowKind, Map<string, AnyRow>>>;

/** The change of a table from one revision to the next: new and changed rows, whole, and ids of removed rows. */
export type RowChanges = {
  readonly [Kind in RowKind]: {
    readonly upserts: readonly RowTypes[Kind][];
    readonly removed: readonly string[];
  };
};

export function byRowKind<Value>(make: (kind: RowKind) => Value): Record<RowKind, Value> {
  return Object.fromEntries(rowKinds.map((kind) => [kind, make(kind)])) as Record<RowKind, Value>;
}

export function noRows(): RowMaps {
  return byRowKind(() => new Map<string, AnyRow>());
}

export function noRowChanges(): RowChanges {
  return byRowKind(() => ({ upserts: [], removed: [] }));
}
