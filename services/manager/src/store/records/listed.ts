import { CausewayError, clip, fail, type Labels, ok, type Result } from '@causeway/model';
import type { Versioned } from './kind.ts';

/** One field of a kind of object, as field selectors name it. */
export interface Field<Of> {
  /** Values of the field. "=" selects an object if one of them is equal, "!=" if none is. */
  readonly values: (of: Of) => readonly string[];
  /** Converts the text of a selector to the form of `values`; absent: the text is used as it is. */
  readonly parse?: (text: string) => Result<string, CausewayError>;
  /** The field is not in the store, so a watch does not see its changes. Lists can select by it, watches cannot. */
  readonly transient?: true;
}

export type Fields<Of> = Readonly<Record<string, Field<Of>>>;

/** A record in lists and watches. */
export interface Item {
  readonly value: { readonly id: string; readonly name: string; readonly labels?: Labels };
  readonly revision: bigint;
}

/** A record with the names of the records that it refers to. When such a name changes, this record changes too. */
export interface Named<Value, Names extends string> extends Versioned<Value> {
  readonly names: Readonly<Record<Names, string>>;
}

/** Where a name comes from: the kind and the id of the other record, and the text to use when that record is gone. */
export interface Reference<Value> {
  readonly kind: string;
  readonly id: (value: Value) => string;
  readonly unknown: (id: string) => string;
}

export function parseBoolean(text: string): Result<string, CausewayError> {
  return text === 'true' || text === 'false' ? ok(text) : fail(refuse(text, 'true or false'));
}

export function parseNumber(text: string): Result<string, CausewayError> {
  return /^(0|[1-9]\d{0,14})$/.test(text) ? ok(text) : fail(refuse(text, 'a whole number'));
}

function refuse(text: string, expected: string): CausewayError {
  return new CausewayError('invalid-argument', `"${clip(text)}" is not ${expected}`, { value: clip(text) });
}
