import { CausewayError } from '@causeway/model';

/** A message field that every server of this protocol sets. */
export function present<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new CausewayError('internal', `the server answered without the ${what}`);
  return value;
}
