import { CausewayError, type Name } from '@causeway/model';

/** A name that reads like an id would hide the thing that has that id. */
export function checkNotAnId(name: Name, field: string): void {
  if (!/^[0-9a-f]{16}$/.test(name)) return;
  throw new CausewayError('name-invalid', `${field} "${name}" looks like an id: 16 hex digits are no name`, {
    field,
    value: name,
  });
}
