import { CausewayError, type Name } from '@causeway/model';
import type { JsonObject } from '../store/records/codec.ts';
import type { Versioned } from '../store/view.ts';

/** A name that looks like an id could be mistaken for the object with that id. */
export function checkNotAnId(name: Name, field: string): void {
  if (!/^[0-9a-f]{16}$/.test(name)) return;
  throw new CausewayError(
    'name-invalid',
    `${field} "${name}" has the form of an id: a name must not be 16 hex digits`,
    {
      field,
      value: name,
    },
  );
}

/** The refusal contains the record if it is not longer than this: it must fit into a gRPC header (8 KiB in all). */
const mostCurrent = 3_000;

/**
 * Refuses a change that is based on an older revision of the record. `data.current` is the present record.
 * @throws CausewayError revision-conflict
 */
export function checkRevision<Value extends { readonly name: string }>(
  { value, revision }: Versioned<Value>,
  asked: bigint | undefined,
  toJson: (value: Value) => JsonObject,
): void {
  if (asked === undefined || asked === revision) return;
  const message = `if_revision ${asked} is not the revision of "${value.name}", which is ${revision}: read it again`;
  const current = JSON.stringify({ ...toJson(value), revision: `${revision}` });
  throw new CausewayError('revision-conflict', message, {
    field: 'if_revision',
    value: `${asked}`,
    revision: `${revision}`,
    ...(current.length > mostCurrent ? {} : { current }),
  });
}
