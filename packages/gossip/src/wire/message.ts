import { type Bytes, concat } from './bytes.ts';
import { maxDatagram, maxMeta, maxName, viewLength } from './limits.ts';
import { type } from './message-type.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { MsgpackWriter } from './msgpack-writer.ts';
import { type Decoded, decoded, refused } from './refusal.ts';
import { bool, optional, raw, rawOrNil, type Struct, struct, text, uint, type ValueOf } from './struct.ts';
import { readVersions, versionsLength } from './vsn.ts';

const uint32 = uint(0xff_ff_ff_ff);
const port = uint(0xff_ff);
const name = text(maxName);
const address = raw(16);

/** Where the ack goes. Without an address and a port, the ack goes to the source of the datagram. */
const source = { SourceAddr: optional(address), SourcePort: optional(port), SourceNode: optional(name) };
/** How the sender sees the cluster. memberlist in Go sends no such field, and skips it. */
const view = { View: optional(raw(viewLength)) };
/** What `Node` says about `From`'s view of it. */
const accusation = { Incarnation: uint32, Node: name, From: name };

const fields = {
  ping: { SeqNo: uint32, Node: name, ...source, ...view },
  indirectPing: { SeqNo: uint32, Target: address, Port: port, Node: name, Nack: bool, ...source },
  ack: { SeqNo: uint32, Payload: rawOrNil(maxDatagram), ...view },
  nack: { SeqNo: uint32 },
  suspect: accusation,
  dead: accusation,
  alive: { Incarnation: uint32, Node: name, Addr: address, Port: port, Meta: raw(maxMeta), Vsn: raw(versionsLength) },
};

export type Ping = { readonly type: 'ping' } & ValueOf<typeof fields.ping>;
export type IndirectPing = { readonly type: 'indirectPing' } & ValueOf<typeof fields.indirectPing>;
export type Ack = { readonly type: 'ack' } & ValueOf<typeof fields.ack>;
export type Nack = { readonly type: 'nack' } & ValueOf<typeof fields.nack>;
export type Suspect = { readonly type: 'suspect' } & ValueOf<typeof fields.suspect>;
export type Dead = { readonly type: 'dead' } & ValueOf<typeof fields.dead>;
export type Alive = { readonly type: 'alive' } & ValueOf<typeof fields.alive>;
/** The application's own bytes. */
export type User = { readonly type: 'user'; readonly payload: Bytes };

/** A message of a datagram. */
export type Message = Ping | IndirectPing | Ack | Nack | Suspect | Dead | Alive | User;
type StructType = Exclude<Message['type'], 'user'>;

const structs = Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, struct(each)])) as {
  readonly [Key in StructType]: Struct<unknown>;
};
const typeOf = new Map<number, StructType>((Object.keys(fields) as StructType[]).map((key) => [type[key], key]));

/** The message with its type byte. */
export function encodeMessage(message: Message): Bytes {
  if (message.type === 'user') return concat(Uint8Array.of(type.user), message.payload);
  return encodeStruct(type[message.type], structs[message.type], message);
}

export function encodeStruct<Value>(byte: number, codec: Struct<Value>, value: Value): Bytes {
  const to = new MsgpackWriter();
  to.byte(byte);
  codec.write(to, value);
  return to.done();
}

/** Reads one message with its type byte. Bytes after the message are ignored, as in Go. The result has views of the input. */
export function decodeMessage(bytes: Bytes): Decoded<Message> {
  const byte = bytes[0];
  if (byte === undefined) return refused('truncated');
  if (byte === type.user) return decoded({ type: 'user', payload: bytes.subarray(1) });
  const key = typeOf.get(byte);
  if (key === undefined) return refused('unknown-type');
  const from = new MsgpackReader(bytes, 1);
  const message = { type: key, ...(structs[key].read(from) as object) } as Message;
  return !from.failed && isSound(message) ? decoded(message) : refused('malformed');
}

/** Whether the message says something that a correct node could say. */
function isSound(message: Message): boolean {
  switch (message.type) {
    case 'ping':
      return message.sourceAddr.length === 0 || isAddress(message.sourceAddr);
    case 'indirectPing':
      return (
        isAddress(message.target) &&
        message.port > 0 &&
        (message.sourceAddr.length === 0 || isAddress(message.sourceAddr))
      );
    case 'suspect':
    case 'dead':
      return message.node !== '' && message.from !== '';
    case 'alive':
      return isNode(message.node, message);
    case 'ack':
    case 'nack':
    case 'user':
      return true;
  }
}

/** Whether a node may be known by this record. */
export function isNode(
  node: string,
  { addr, port, vsn }: { readonly addr: Bytes; readonly port: number; readonly vsn: Bytes },
): boolean {
  return node !== '' && isAddress(addr) && port > 0 && readVersions(vsn) !== undefined;
}

function isAddress(bytes: Bytes): boolean {
  return bytes.length === 4 || bytes.length === 16;
}
