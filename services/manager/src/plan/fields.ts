import { CausewayError, type ErrorData, type Result } from '@causeway/model';

/*
 * Parses the text fields of a message. Every refusal names the field.
 */

/** @throws CausewayError the parse error, with the field's name */
export function inField<Value>(field: string, parsed: Result<Value, CausewayError>): Value {
  if (parsed.ok) return parsed.value;
  const { code, message, data } = parsed.error;
  const named: ErrorData = { ...data, field };
  throw new CausewayError(code, `${field}: ${message}`, named, { cause: parsed.error });
}

/** Sorts the pairs by key, so that the same pairs give the same content of a request. */
export function sorted<Value>(pairs: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1)));
}
