import type { Bytes } from '../wire/bytes.ts';
import { maxMeta, maxName } from '../wire/limits.ts';
import { encodeStruct } from '../wire/message.ts';
import { MsgpackReader } from '../wire/msgpack-reader.ts';
import { bool, dictionary, listOrNil, raw, type Struct, struct, text, uint, type ValueOf } from '../wire/struct.ts';
import { kind } from './message.ts';

// What serf's own queries and their responses carry.

/** Longest text of an error, and most keys that a response of `queryResponseSize` bytes can hold. */
const maxText = 1024;
const maxKeys = 64;

const keyRequest = struct({ Key: raw(maxText) });

const keyFields = {
  Result: bool,
  Message: text(maxText),
  /** In base64. */
  Keys: listOrNil(text(maxText), maxKeys),
  PrimaryKey: text(maxText),
};
const keyResponse = struct(keyFields);
/** What a node says to a request about keys. `message` says why it failed. */
export type KeyResponse = ValueOf<typeof keyFields>;

const byte = uint(0xff);
const memberFields = {
  Name: text(maxName),
  Addr: raw(16),
  Port: uint(0xff_ff),
  Tags: dictionary(text(maxMeta), maxMeta, maxMeta),
  Status: byte,
  ProtocolMin: byte,
  ProtocolMax: byte,
  ProtocolCur: byte,
  DelegateMin: byte,
  DelegateMax: byte,
  DelegateCur: byte,
};
const conflictResponse = struct(memberFields);
/** What a node knows of the node in question. The name is empty where it knows nothing. */
export type ConflictResponse = ValueOf<typeof memberFields>;

export function encodeKeyRequest(key: Bytes): Bytes {
  return encodeStruct(kind.keyRequest, keyRequest, { key });
}

/** The key; undefined: the bytes are no such request. */
export function decodeKeyRequest(bytes: Bytes): Bytes | undefined {
  return decode(kind.keyRequest, keyRequest, bytes)?.key;
}

export function encodeKeyResponse(response: KeyResponse): Bytes {
  return encodeStruct(kind.keyResponse, keyResponse, response);
}

export function decodeKeyResponse(bytes: Bytes): KeyResponse | undefined {
  return decode(kind.keyResponse, keyResponse, bytes);
}

export function encodeConflictResponse(member: ConflictResponse | undefined): Bytes {
  if (member === undefined) return Uint8Array.of(kind.conflictResponse, 0xc0);
  return encodeStruct(kind.conflictResponse, conflictResponse, member);
}

export function decodeConflictResponse(bytes: Bytes): ConflictResponse | undefined {
  return decode(kind.conflictResponse, conflictResponse, bytes);
}

function decode<Value>(first: number, codec: Struct<Value>, bytes: Bytes): Value | undefined {
  if (bytes[0] !== first) return undefined;
  const from = new MsgpackReader(bytes, 1);
  const value = codec.read(from);
  return from.failed ? undefined : value;
}
