import {
  CausewayError,
  type FieldTerm,
  type LabelSelector,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  unwrap,
} from '@causeway/model';
import { inField } from '../plan/fields.ts';
import type { Field, Fields } from '../store/records/listed.ts';
import type { Item } from './object-cache.ts';

export interface Selectors {
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

/** @throws CausewayError invalid-argument, or what the parser of the field's value throws */
export function readSelection<Of extends Item>(
  { labelSelector, fieldSelector }: Selectors,
  fields: Fields<Of>,
): (of: Of) => boolean {
  const labels: LabelSelector = unwrap(parseLabelSelector(labelSelector));
  const terms = unwrap(parseFieldSelector(fieldSelector)).map((term) => readTerm(term, fields));
  return (of) => matchesLabels(labels, of.value.labels ?? {}) && terms.every((holds) => holds(of));
}

/** The fields with which a watch may select: a transient field is refused, because a watch does not see it change. */
export function lasting<Of>(fields: Fields<Of>): Fields<Of> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, field.transient ? unseen(name) : field]),
  );
}

function readTerm<Of>({ field: name, equal, value }: FieldTerm, fields: Fields<Of>): (of: Of) => boolean {
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined) {
    const message = `field_selector: there is no field "${name}"; the fields are ${Object.keys(fields).sort().join(', ')}`;
    throw new CausewayError('invalid-argument', message, { field: 'field_selector', value: name });
  }
  const expected = field.parse === undefined ? value : inField('field_selector', field.parse(value));
  return (of) => field.values(of).includes(expected) === equal;
}

function unseen(name: string): Field<unknown> {
  return {
    values: () => [],
    parse: () => {
      const message = `"${name}" is not in the store, so a watch does not see its changes: use it in a list`;
      throw new CausewayError('invalid-argument', `field_selector: ${message}`, {
        field: 'field_selector',
        value: name,
      });
    },
  };
}
