import type { Result } from '@causeway/model';
import type { Codec, Decoded, JsonObject } from './codec.ts';
import type { Fields, Reference } from './listed.ts';

/** One part of a key after the first: its name, how it is parsed and how it is printed. */
export interface KeyPart<Name extends string = string, Value extends string | number = string | number> {
  readonly name: Name;
  parse(text: string): Result<Value, unknown>;
  print(value: Value): string;
}

export function keyPart<const Name extends string, Value extends string | number>(
  name: Name,
  parse: (text: string) => Result<Value, unknown>,
  print: (value: Value) => string = String,
): KeyPart<Name, Value> {
  return { name, parse, print };
}

export type KeyPath = readonly KeyPart[];

type ValueOf<Part> = Part extends { parse(text: string): Result<infer Value, unknown> } ? Value : never;

/** The parts of a key by name: `{ network, id }`. */
export type KeyParts<Path extends KeyPath> = { readonly [Part in Path[number] as Part['name']]: ValueOf<Part> };

/** The values of the parts, in the order of the key. */
export type KeyArguments<Path extends KeyPath> = { [I in keyof Path]: ValueOf<Path[I]> };

/** What the store keeps about a key besides its value. */
export interface Stamped {
  readonly createRevision: bigint;
  readonly modRevision: bigint;
}

/** A kind of key that the view does not keep: other records imply it, or a reader asks the store itself. */
export interface KeyKind {
  readonly kind: string;
  /** First part of its keys; absent: `kind`. */
  readonly segment?: string;
  readonly path: KeyPath;
}

/** What the view keeps of one kind of record, by the parts of its keys. */
export interface Index<Parts, Kept> {
  get(parts: Parts): Kept | undefined;
  set(parts: Parts, kept: Kept): void;
  delete(parts: Parts): void;
}

/** All differences between one kind of record and another. The key space, the view and its changes are built from these. */
export interface RecordKind extends KeyKind {
  readonly codec: Codec<unknown>;
  /** What the view keeps of a record. */
  keep(record: Decoded<never>, kv: Stamped): unknown;
  /** Makes an empty index. */
  index(): Index<never, unknown>;
  /** Which listeners get its changes: those of records, or those of claims. Absent: none. Readers look it up when needed. */
  readonly listeners?: 'record' | 'claim';
  /** Fields by which lists and watches select such records (docs/protocol.md has them). Absent: no lists and watches. */
  readonly fields?: Fields<never>;
  /** Names of other records that lists show with this record. */
  readonly names?: Readonly<Record<string, Reference<never>>>;
}

/** A record with its revisions. */
export interface Versioned<Value> {
  readonly value: Value;
  /** Revision of the store when the record was last written. */
  readonly revision: bigint;
  /** Revision of the store when the record was created; absent: the record does not come from the store. */
  readonly created?: bigint;
  /** The stored record, if it has fields that this version does not know. A rewrite keeps those fields. */
  readonly original?: JsonObject;
}

export function versioned<Value>(record: Decoded<Value>, kv: Stamped): Versioned<Value> {
  return { ...record, revision: kv.modRevision, created: kv.createRevision };
}
