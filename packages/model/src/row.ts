import type { EndpointRow } from './endpoint.ts';

/**
 * The kinds of rows in a network's table, which hosts get beside the network itself. docs/adding-a-record.md describes
 * how to add a kind.
 */
export interface RowTypes {
  readonly endpoint: EndpointRow;
}

export type RowKind = keyof RowTypes;
export type AnyRow = RowTypes[RowKind];

const isKind: Readonly<Record<RowKind, true>> = { endpoint: true };
export const rowKinds = Object.keys(isKind) as readonly RowKind[];

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
