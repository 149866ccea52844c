import type { AnyRow } from '@causeway/model';
import type { IMessageType } from '@protobuf-ts/runtime';
import type { Complete, Delta } from '#gen/causeway/v1/session_service.js';

/** The fields of Complete that hold rows, and those of Delta. */
export type CompleteRows = Omit<Complete, 'network' | 'revision' | 'digest' | 'epoch' | 'feedVersion'>;
export type DeltaRows = Omit<Delta, 'networkId' | 'from' | 'to' | 'digest' | 'network'>;

/** How the rows of any kind are sent. */
export interface AnyRowMessages {
  /** The field of Complete and of Delta that holds the rows. */
  readonly rows: keyof CompleteRows;
  /** The field of Delta that holds the ids of removed rows. */
  readonly removed: Exclude<keyof DeltaRows, keyof CompleteRows>;
  readonly type: IMessageType<object>;
  toMessage(row: never): object;
  fromMessage(message: never): AnyRow;
}

/** How the rows of one kind are sent. */
export interface RowMessages<Row extends AnyRow, Message> extends AnyRowMessages {
  toMessage(row: Row): Message & object;
  fromMessage(message: Message): Row;
}
