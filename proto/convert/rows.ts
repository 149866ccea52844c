import { type AnyRow, byRowKind, type RowChanges, type RowKind, rowKinds } from '@causeway/model';
import { rowMessages } from './records.ts';
import type { CompleteRows, DeltaRows } from './row-messages.ts';

/** The rows of a whole table, or of a part of it. */
export function rowsToMessages(rowsOf: (kind: RowKind) => Iterable<AnyRow>): CompleteRows {
  const fields = rowKinds.map((kind) => {
    const { rows, toMessage } = rowMessages[kind];
    return [rows, Array.from(rowsOf(kind), (row) => toMessage(row as never))];
  });
  return Object.fromEntries(fields) as CompleteRows;
}

/** All rows, one by one, each with its kind. */
export function* rowsFromMessages(message: CompleteRows): Generator<readonly [RowKind, AnyRow], void> {
  for (const kind of rowKinds) {
    const { rows, fromMessage } = rowMessages[kind];
    for (const row of message[rows]) yield [kind, fromMessage(row as never)];
  }
}

export function rowChangesToMessage(changes: RowChanges): DeltaRows {
  const fields = rowKinds.map((kind) => [rowMessages[kind].removed, [...changes[kind].removed]]);
  return { ...rowsToMessages((kind) => changes[kind].upserts), ...Object.fromEntries(fields) };
}

/** `take`: what becomes of each row; absent: it stays as it is. */
export function rowChangesFromMessage(
  message: DeltaRows,
  take: (kind: RowKind, row: AnyRow) => AnyRow = (_, row) => row,
): RowChanges {
  return byRowKind((kind) => {
    const { rows, removed, fromMessage } = rowMessages[kind];
    return {
      upserts: message[rows].map((row) => take(kind, fromMessage(row as never))),
      removed: message[removed],
    };
  }) as RowChanges;
}

/** Whether both rows have the same message. Compares messages, so that a new field of a row counts automatically. */
export function isSameRow(kind: RowKind, one: AnyRow, other: AnyRow): boolean {
  const { type, toMessage } = rowMessages[kind];
  return type.equals(toMessage(one as never), toMessage(other as never));
}
