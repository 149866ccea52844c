import { CausewayError, fail, isCausewayError, type Labels, ok, type Result } from '@causeway/model';

/**
 * Records are JSON objects. A field that this version does not know came from a newer version. A rewrite keeps the field.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [field: string]: Json;
}

export interface Decoded<Value> {
  readonly value: Value;
  /** The record as it was read, present only if it has fields that this version does not know. */
  readonly original?: JsonObject;
}

/** How the value of a key is written and read. */
export interface Codec<Value> {
  encode(value: Value, original?: JsonObject): Uint8Array;
  decode(bytes: Uint8Array): Result<Decoded<Value>, CausewayError>;
}

export interface RecordCodec<Value> extends Codec<Value> {
  toJson(value: Value, original?: JsonObject): JsonObject;
  fromJson(json: JsonObject): Value;
}

/** The record from which bytes were made: this manager reads its own write without decoding it. */
const source = Symbol('source');

type Encoded = Uint8Array & { readonly [source]?: unknown };

export function recordCodec<Value>(
  toJson: (value: Value, original?: JsonObject) => JsonObject,
  fromJson: (json: JsonObject) => Value,
): RecordCodec<Value> {
  return {
    toJson,
    fromJson,
    encode: (value, original) => {
      const bytes = encodeText(JSON.stringify(toJson(value, original)));
      return original === undefined ? Object.assign(bytes, { [source]: value }) : bytes;
    },
    decode: (bytes) => {
      const known = (bytes as Encoded)[source];
      if (known !== undefined) return ok({ value: known as Value });
      try {
        const written = decodeText(bytes);
        const json = object(JSON.parse(written) as Json);
        const value = fromJson(json);
        return ok(JSON.stringify(toJson(value)) === written ? { value } : { value, original: json });
      } catch (cause) {
        if (!isCausewayError(cause) && !(cause instanceof TypeError) && !(cause instanceof SyntaxError)) throw cause;
        return fail(new CausewayError('internal', `unreadable record: ${cause.message}`, {}, { cause }));
      }
    },
  };
}

/** Codec of plain text. */
export const textCodec: Codec<string> = {
  encode: (value) => encodeText(value),
  decode: (bytes) => ok({ value: decodeText(bytes) }),
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeText(value: string): Uint8Array {
  return encoder.encode(value);
}

export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Null for text that is not JSON. */
export function parseJson(source: string): Json {
  try {
    return JSON.parse(source) as Json;
  } catch {
    return null;
  }
}

/** Removes known fields from the original record: a field that was removed must not come back from there. */
export function omit(json: JsonObject | undefined, ...fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(json ?? {}).filter(([name]) => !fields.includes(name)));
}

export function object(json: Json | undefined): JsonObject {
  return typeof json === 'object' && json !== null && !isList(json) ? json : {};
}

export function text(json: JsonObject, field: string): string {
  const value = json[field];
  if (typeof value !== 'string') throw new TypeError(`"${field}" is not text`);
  return value;
}

export function number(json: JsonObject, field: string): number {
  const value = json[field];
  if (typeof value !== 'number') throw new TypeError(`"${field}" is not a number`);
  return value;
}

export function list(json: JsonObject, field: string): readonly Json[] {
  const value = json[field];
  if (value === undefined || !isList(value)) throw new TypeError(`"${field}" is not a list`);
  return value;
}

export function mapValues<Value>(json: JsonObject, read: (value: Json) => Value): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, read(value)]));
}

/* Fields that several kinds of record have. */

export function labelsFromJson(json: Json | undefined): Labels {
  return mapValues(object(json), (value) => (typeof value === 'string' ? value : ''));
}

export function createdToJson({ createdAt }: { readonly createdAt?: number }): JsonObject {
  return createdAt === undefined ? {} : { createdAt };
}

/** Older records have no creation time. */
export function createdFromJson(json: JsonObject): { readonly createdAt?: number } {
  return json['createdAt'] === undefined ? {} : { createdAt: number(json, 'createdAt') };
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}
