import { CausewayError, type Name } from '@causeway/model';
import type { JsonObject } from '../store/records/codec.ts';
import type { Versioned } from '../store/view.ts';

/** A name that reads like an id would hide the thing that has that id. */
export function checkNotAnId(name: Name, field: string): void {
  if (!/^[0-9a-f]{16}$/.test(name)) return;
  throw new CausewayError('name-invalid', `${field} "${name}" looks like an id: 16 hex digits are no name`, {
    field,
    value: name,
  });
}

/** The record goes along with the refusal as long as it fits the header of an answer (gRPC: 8 KiB in all). */
const mostCurrent = 3_000;

/**
 * A change that is based on a revision is refused when the record has moved on; `data.current` is the record as it is.
 * @throws CausewayError revision-conflict
 */
export function checkRevision<Value extends { readonly name: string }>(
  { value, revision }: Versioned<Value>,
  asked: bigint | undefined,
  toJson: (value: Value) => JsonObject,
): void {
  if (asked === undefined || asked === revision) return;
  const message = `if_revision ${asked} is not that of "${value.name}", which is at ${revision}: look at it again`;
  const current = JSON.stringify({ ...toJson(value), revision: `${revision}` });
  throw new CausewayError('revision-conflict', message, {
    field: 'if_revision',
    value: `${asked}`,
    revision: `${revision}`,
    ...(current.length > mostCurrent ? {} : { current }),
  });
}
