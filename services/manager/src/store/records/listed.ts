import { CausewayError, clip, fail, type Labels, ok, type Result } from '@causeway/model';
import type { Versioned } from './kind.ts';

/** One field of a kind of object, as field selectors name it. */
export interface Field<Of> {
  /** What it holds; "=" means that one of these is it, "!=" that none is. */
  readonly values: (of: Of) => readonly string[];
  /** From what people write to what `values` has; absent: as it is. */
  readonly parse?: (text: string) => Result<string, CausewayError>;
  /** Not in the store, so that its changes are not seen: lists can select by it, watches cannot. */
  readonly transient?: true;
}

export type Fields<Of> = Readonly<Record<string, Field<Of>>>;

/** A record as lists and watches have it. */
export interface Item {
  readonly value: { readonly id: string; readonly name: string; readonly labels?: Labels };
  readonly revision: bigint;
}

/** A record with the names of what it refers to. A new name of those is a change of it, at the revision of that. */
export interface Named<Value, Names extends string> extends Versioned<Value> {
  readonly names: Readonly<Record<Names, string>>;
}

/** Where a name comes from: the record of which kind and id, and what is said when that is gone. */
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
