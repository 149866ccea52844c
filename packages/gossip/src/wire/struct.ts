import { type Bytes, noBytes, utf8 } from './bytes.ts';
import type { MsgpackReader } from './msgpack-reader.ts';
import type { MsgpackWriter } from './msgpack-writer.ts';

/** How a field of a Go struct is read and written. */
export interface Field<Value> {
  /** What a missing field reads as. */
  readonly empty: Value;
  /** Whether the empty value is left out, as Go's `omitempty` does. */
  readonly isOptional?: boolean;
  read(from: MsgpackReader): Value;
  write(to: MsgpackWriter, value: Value): void;
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** The value of a struct: `SeqNo` on the wire is `seqNo` here. */
export type ValueOf<Of extends Fields> = {
  readonly [Name in keyof Of & string as Uncapitalize<Name>]: Of[Name] extends Field<infer Value> ? Value : never;
};

export interface Struct<Value> {
  read(from: MsgpackReader): Value;
  write(to: MsgpackWriter, value: Value): void;
}

/**
 * A Go struct on the wire: a map from the names of the fields, sorted. A reader takes any order, ignores unknown names, and
 * reads missing fields as empty.
 */
export function struct<Of extends Fields>(fields: Of): Struct<ValueOf<Of>> {
  const all = Object.keys(fields)
    .sort()
    .map((name) => ({
      name,
      bytes: utf8(name),
      key: name[0]?.toLowerCase() + name.slice(1),
      field: fields[name] as Field<unknown>,
    }));
  const byName = new Map(all.map((each) => [each.name, each]));
  const empty = Object.fromEntries(all.map(({ key, field }) => [key, field.empty]));
  return {
    read(from) {
      const value: Record<string, unknown> = { ...empty };
      for (let left = from.map(); left > 0 && !from.failed; left--) {
        const known = byName.get(from.text(0xff));
        if (known === undefined) from.skip();
        else value[known.key] = known.field.read(from);
      }
      return value as ValueOf<Of>;
    },
    write(to, value) {
      const values = value as Readonly<Record<string, unknown>>;
      const present = all.filter(({ key, field }) => !(field.isOptional === true && isEmpty(values[key])));
      to.map(present.length);
      for (const { bytes, key, field } of present) {
        to.raw(bytes);
        field.write(to, values[key]);
      }
    },
  };
}

function isEmpty(value: unknown): boolean {
  return value === 0 || value === '' || (value instanceof Uint8Array && value.length === 0);
}

export function uint(max: number): Field<number> {
  return { empty: 0, read: (from) => from.uint(max), write: (to, value) => to.uint(value) };
}

export const bool: Field<boolean> = {
  empty: false,
  read: (from) => from.bool(),
  write: (to, value) => to.bool(value),
};

export function text(max: number): Field<string> {
  return { empty: '', read: (from) => from.text(max), write: (to, value) => to.text(value) };
}

export function raw(max: number): Field<Bytes> {
  return { empty: noBytes, read: (from) => from.raw(max), write: (to, value) => to.raw(value) };
}

/** Go writes a byte slice without elements as nil where the slice was never made. */
export function rawOrNil(max: number): Field<Bytes> {
  return { ...raw(max), write: (to, value) => (value.length === 0 ? to.nil() : to.raw(value)) };
}

export const float: Field<number> = {
  empty: 0,
  read: (from) => from.float(),
  write: (to, value) => to.float(value),
};

/** A slice of Go. What is read stops with the input, whatever count the input declares. */
export function list<Item>(item: Pick<Field<Item>, 'read' | 'write'>, max: number): Field<readonly Item[]> {
  return {
    empty: [],
    read(from) {
      const items: Item[] = [];
      const count = from.array();
      if (count > max) from.failed = true;
      for (let left = count; left > 0 && !from.failed; left--) items.push(item.read(from));
      return items;
    },
    write(to, items) {
      to.array(items.length);
      for (const each of items) item.write(to, each);
    },
  };
}

/** Go writes a slice that was never made as nil. */
export function listOrNil<Item>(item: Pick<Field<Item>, 'read' | 'write'>, max: number): Field<readonly Item[]> {
  const field = list(item, max);
  return { ...field, write: (to, items) => (items.length === 0 ? to.nil() : field.write(to, items)) };
}

/** A map of Go from texts of at most `maxKey` bytes. Go writes the keys in any order. */
export function dictionary<Value>(
  value: Pick<Field<Value>, 'read' | 'write'>,
  maxKey: number,
  max: number,
): Field<ReadonlyMap<string, Value>> {
  return {
    empty: new Map(),
    read(from) {
      const all = new Map<string, Value>();
      const count = from.map();
      if (count > max) from.failed = true;
      for (let left = count; left > 0 && !from.failed; left--) all.set(from.text(maxKey), value.read(from));
      return all;
    },
    write(to, all) {
      to.map(all.size);
      for (const [key, each] of all) {
        to.text(key);
        value.write(to, each);
      }
    },
  };
}

export function optional<Value>(field: Field<Value>): Field<Value> {
  return { ...field, isOptional: true };
}
