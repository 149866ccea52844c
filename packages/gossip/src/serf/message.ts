import { type Bytes, concat, noBytes } from '../wire/bytes.ts';
import { maxDatagram, maxName, maxNodes } from '../wire/limits.ts';
import { encodeStruct } from '../wire/message.ts';
import { MsgpackReader } from '../wire/msgpack-reader.ts';
import { type Decoded, decoded, refused } from '../wire/refusal.ts';
import {
  bool,
  dictionary,
  type Field,
  list,
  listOrNil,
  raw,
  rawOrNil,
  type Struct,
  struct,
  text,
  uint,
  type ValueOf,
} from '../wire/struct.ts';
import { maxLamport } from './lamport.ts';
import { bufferSize, maxFilters, maxPerTime, maxUserEventSize } from './limits.ts';

/** The first byte of each message of serf, and of what queries and their responses carry. */
export const kind = {
  leave: 0,
  join: 1,
  pushPull: 2,
  event: 3,
  query: 4,
  queryResponse: 5,
  conflictResponse: 6,
  keyRequest: 7,
  keyResponse: 8,
  relay: 9,
} as const;

/** In a query: each node that the query is for acknowledges it. */
export const queryAck = 1;
/** In a query: nodes do not pass it on. */
export const queryNoBroadcast = 2;
/** In a response: it is an acknowledgement, and not an answer. */
export const responseAck = 1;

const time = uint(maxLamport);
const uint32 = uint(0xff_ff_ff_ff);
const name = text(maxName);
const eventName = text(maxUserEventSize);
const payload = rawOrNil(maxDatagram);

const eventsOfTime = struct({ LTime: time, Events: list(struct({ Name: eventName, Payload: payload }), maxPerTime) });
export type EventsOfTime = ReturnType<typeof eventsOfTime.read>;

/** A slot of serf's ring of events; most are nil. */
const slot: Pick<Field<EventsOfTime | undefined>, 'read' | 'write'> = {
  read(from) {
    const value = eventsOfTime.read(from);
    return value.events.length === 0 ? undefined : value;
  },
  write: (to, value) => (value === undefined ? to.nil() : eventsOfTime.write(to, value)),
};

const fields = {
  leave: { LTime: time, Node: name, Prune: bool },
  join: { LTime: time, Node: name },
  pushPull: {
    LTime: time,
    StatusLTimes: dictionary(time, maxName, maxNodes),
    LeftMembers: list(name, maxNodes),
    EventLTime: time,
    Events: list(slot, 8 * bufferSize),
    QueryLTime: time,
  },
  event: { LTime: time, Name: eventName, Payload: payload, CC: bool },
  query: {
    LTime: time,
    ID: uint32,
    Addr: raw(16),
    Port: uint(0xff_ff),
    SourceNode: name,
    Filters: listOrNil(raw(maxDatagram), maxFilters),
    Flags: uint32,
    RelayFactor: uint(0xff),
    /** Nanoseconds. */
    Timeout: uint(Number.MAX_SAFE_INTEGER),
    Name: eventName,
    Payload: payload,
  },
  queryResponse: { LTime: time, ID: uint32, From: name, Flags: uint32, Payload: payload },
};

type Fields = typeof fields;
type Of<Key extends keyof Fields> = { readonly type: Key } & ValueOf<Fields[Key]>;

/** A node is about to leave, or is taken for one that left. `prune`: nothing of the node shall be kept. */
export type Leave = Of<'leave'>;
export type Join = Of<'join'>;
/** All that a node of serf knows: the user state of memberlist's push/pull. */
export type SerfState = Of<'pushPull'>;
/** `cC`: of several events with this name, a reader that coalesces needs only the last. */
export type UserEvent = Of<'event'>;
export type Query = Of<'query'>;
export type QueryResponse = Of<'queryResponse'>;
/** The message for another node, which did not get it, perhaps, from its sender. */
export interface Relay {
  readonly type: 'relay';
  readonly addr: Bytes;
  readonly port: number;
  readonly message: Bytes;
}

export type SerfMessage = Leave | Join | SerfState | UserEvent | Query | QueryResponse | Relay;
type StructType = keyof Fields;

const structs = Object.fromEntries(Object.entries(fields).map(([key, each]) => [key, struct(each)])) as {
  readonly [Key in StructType]: Struct<unknown>;
};
const typeOf = new Map<number, StructType>((Object.keys(fields) as StructType[]).map((key) => [kind[key], key]));

/** Go's net.UDPAddr. */
const udpAddress = struct({ IP: raw(16), Port: uint(0xff_ff), Zone: text(maxName) });
const relayHeader = struct({
  DestAddr: { empty: { iP: noBytes, port: 0, zone: '' }, ...udpAddress },
  DestName: name,
});

/** The message with its first byte. */
export function encodeSerf(message: Exclude<SerfMessage, Relay>): Bytes {
  return encodeStruct(kind[message.type], structs[message.type], message);
}

export function encodeRelay({ addr, port, message }: Relay, destName: string): Bytes {
  const header = { destAddr: { iP: addr, port, zone: '' }, destName };
  return concat(encodeStruct(kind.relay, relayHeader, header), message);
}

/** Reads one message. The result has views of the input. */
export function decodeSerf(bytes: Bytes): Decoded<SerfMessage> {
  const byte = bytes[0];
  if (byte === undefined) return refused('truncated');
  if (byte === kind.relay) return decodeRelay(bytes);
  const key = typeOf.get(byte);
  if (key === undefined) return refused('unknown-type');
  const from = new MsgpackReader(bytes, 1);
  const message = { type: key, ...(structs[key].read(from) as object) } as Exclude<SerfMessage, Relay>;
  return !from.failed && isSound(message) ? decoded(message) : refused('malformed');
}

function decodeRelay(bytes: Bytes): Decoded<Relay> {
  const from = new MsgpackReader(bytes, 1);
  const { destAddr } = relayHeader.read(from);
  if (from.failed || !isAddress(destAddr.iP) || destAddr.port === 0) return refused('malformed');
  return decoded({ type: 'relay', addr: destAddr.iP, port: destAddr.port, message: bytes.subarray(from.at) });
}

/** Whether a correct node could say this. */
function isSound(message: Exclude<SerfMessage, Relay>): boolean {
  switch (message.type) {
    case 'leave':
    case 'join':
      return message.node !== '';
    case 'query':
      return isAddress(message.addr) && message.port > 0;
    case 'queryResponse':
      return message.from !== '';
    case 'pushPull':
    case 'event':
      return true;
  }
}

function isAddress(bytes: Bytes): boolean {
  return bytes.length === 4 || bytes.length === 16;
}
