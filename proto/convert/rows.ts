import { type AnyRow, byRowKind, type RowChanges, type RowKind, rowKinds } from '@causeway/model';
import type { IMessageType } from '@protobuf-ts/runtime';
import { type Complete, type Delta, EndpointRow } from '#gen/causeway/v1/session_service.js';
import { endpointRowFromMessage, endpointRowToMessage } from './endpoint.ts';

/** The fields of Complete that hold rows, and those of Delta. */
type CompleteRows = Omit<Complete, 'network' | 'revision' | 'digest' | 'epoch' | 'feedVersion'>;
type DeltaRows = Omit<Delta, 'networkId' | 'from' | 'to' | 'digest' | 'network'>;

/** How the rows of one kind are sent. */
interface RowMessages {
  /** The field of Complete and of Delta that holds the rows. */
  readonly rows: keyof CompleteRows;
  /** The field of Delta that holds the ids of removed rows. */
  readonly removed: Exclude<keyof DeltaRows, keyof CompleteRows>;
  readonly type: IMessageType<object>;
  toMessage(row: never): object;
  fromMessage(message: never): AnyRow;
}

const rowMessages: Readonly<Record<RowKind, RowMessages>> = {
  endpoint: {
    rows: 'endpoints',
    removed: 'removedEndpointIds',
    type: EndpointRow,
    toMessage: endpointRowToMessage,
    fromMessage: endpointRowFromMessage,
  },
};

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
