import type { AnyRow, NodeId, RowKind, RowTypes } from '@causeway/model';
import { endpointRows } from './endpoint.ts';
import type { RowSource } from './source.ts';

export const rowSources: { readonly [Kind in RowKind]: RowSource<RowTypes[Kind]> } = { endpoint: endpointRows };

/** The host that must have the network because of the row; undefined: no host. */
export function hostOf(kind: RowKind, row: AnyRow): NodeId | undefined {
  const source: { hostOf?(row: never): NodeId } = rowSources[kind];
  return source.hostOf?.(row as never);
}
