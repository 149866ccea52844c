import type { EndpointRow } from './endpoint.ts';

/** The kinds of rows in a network's table, which hosts get beside the network itself. docs/adding-a-record.md tells how another is made. */
export interface RowTypes {
  readonly endpoint: EndpointRow;
}

export type RowKind = keyof RowTypes;
export type AnyRow = RowTypes[RowKind];

const isKind: Readonly<Record<RowKind, true>> = { endpoint: true };
export const rowKinds = Object.keys(isKind) as readonly RowKind[];

/** All rows of a table, by id. */
export type Rows = { readonly [Kind in RowKind]: ReadonlyMap<string, RowTypes[Kind]> };

/** The same where the kinds are not told apart; `table[kind]` holds rows of that kind only. */
export type RowMaps = Readonly<Record<RowKind, Map<string, AnyRow>>>;

/** What a step changes in a table: rows that are new or other, whole, and ids of rows that are gone. */
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
