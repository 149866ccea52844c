import type { Result } from '@causeway/model';
import type { Codec, Decoded, JsonObject } from './codec.ts';
import type { Fields, Reference } from './listed.ts';

/** One part of a key behind its first: what it is called, how it is read, and how it is written if not as it is. */
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

/** The same in order, as a key is made of them. */
export type KeyArguments<Path extends KeyPath> = { [I in keyof Path]: ValueOf<Path[I]> };

/** What the store knows of a key beside its value. */
export interface Stamped {
  readonly createRevision: bigint;
  readonly modRevision: bigint;
}

/** A key of which the view keeps nothing: other records imply it, or the store itself is asked. */
export interface KeyKind {
  readonly kind: string;
  /** What its keys begin with; absent: its kind. */
  readonly segment?: string;
  readonly path: KeyPath;
}

/** What the view keeps of one kind of record, by what its keys say. */
export interface Index<Parts, Kept> {
  get(parts: Parts): Kept | undefined;
  set(parts: Parts, kept: Kept): void;
  delete(parts: Parts): void;
}

/** Everything in which one kind of record differs from another: the key space, the view and its changes are made of these. */
export interface RecordKind extends KeyKind {
  readonly codec: Codec<unknown>;
  /** What the view keeps of a record. */
  keep(record: Decoded<never>, kv: Stamped): unknown;
  /** An empty one. */
  index(): Index<never, unknown>;
  /** Who hears of its changes: listeners of records, or of claims. Absent: none, it is looked up when needed. */
  readonly heard?: 'record' | 'claim';
  /** What lists and watches of such records select by (docs/protocol.md lists it); absent: there are none of these. */
  readonly fields?: Fields<never>;
  /** Names of other records, told with it in lists. */
  readonly names?: Readonly<Record<string, Reference<never>>>;
}

/** A record with what the store says of it. */
export interface Versioned<Value> {
  readonly value: Value;
  /** Of the store when the record was last written. */
  readonly revision: bigint;
  /** Of the store when the record was made; absent: the record does not come from the store. */
  readonly created?: bigint;
  /** The stored record when it has fields this version does not know; a rewrite carries them on. */
  readonly foreign?: JsonObject;
}

export function versioned<Value>(record: Decoded<Value>, kv: Stamped): Versioned<Value> {
  return { ...record, revision: kv.modRevision, created: kv.createRevision };
}
