import { type Bytes, concat, putUint32 } from './bytes.ts';
import { compress, decompress, streamInflation } from './compressed.ts';
import type { Layers } from './datagram.ts';
import { envelopeLength, openEnvelope, sealEnvelope } from './envelope.ts';
import { labelHeader } from './label.ts';
import { type Ack, decodeMessage, encodeMessage, encodeStruct, type Ping, type User } from './message.ts';
import { type } from './message-type.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { decodePushPull, encodePushPull, type PushPull } from './push-pull.ts';
import { type Decoded, decoded, refused } from './refusal.ts';
import { envelopeHeaderLength, StreamFrame, userHeader } from './stream-frame.ts';
import { struct, text } from './struct.ts';

/** The peer could not do what it was asked for. */
export interface ErrorMessage {
  readonly type: 'error';
  readonly error: string;
}

/** A message of a stream. Each stream has one request, and at most one reply. */
export type StreamMessage = Ping | Ack | PushPull | User | ErrorMessage;

const errorStruct = struct({ Error: text(4096) });

/** The request of a stream, with the label that opens the stream. */
export function encodeRequest(message: StreamMessage, layers: Layers): Bytes {
  return concat(labelHeader(layers.label), encodeReply(message, layers));
}

/** The reply of a stream: it has no label of its own. */
export function encodeReply(message: StreamMessage, { label, encryption, compresses }: Layers): Bytes {
  const bare = encodeBare(message);
  const plaintext = compresses ? compress(bare) : bare;
  if (encryption?.encryptsOutgoing !== true) return plaintext;
  const header = new Uint8Array(envelopeHeaderLength);
  header[0] = type.encrypted;
  putUint32(header, 1, envelopeLength(encryption.version, plaintext.length));
  return concat(header, sealEnvelope(encryption, plaintext, concat(header, label)));
}

function encodeBare(message: StreamMessage): Bytes {
  switch (message.type) {
    case 'pushPull':
      return encodePushPull(message);
    case 'user':
      return concat(encodeStruct(type.user, userHeader, { userMsgLen: message.payload.length }), message.payload);
    case 'error':
      return encodeStruct(type.error, errorStruct, message);
    case 'ping':
    case 'ack':
      return encodeMessage(message);
  }
}

/** Reads the one message that a peer sends on a stream, in whatever pieces it arrives. */
export class StreamReader {
  readonly #frame: StreamFrame;
  readonly #layers: Layers;

  /** `request`: the stream begins with the label, as the side that opened it wrote it. */
  constructor(layers: Layers, direction: 'request' | 'reply') {
    this.#layers = layers;
    this.#frame = new StreamFrame(direction === 'request' ? layers.label : undefined);
  }

  /** Whether the peer has said what it sends. */
  get hasHeader(): boolean {
    return this.#frame.hasHeader;
  }

  /** Undefined: the message is not complete. */
  push(piece: Bytes): Decoded<StreamMessage> | undefined {
    const frame = this.#frame.push(piece);
    if (frame === undefined || !frame.ok) return frame;
    return decodeFrame(frame.value, this.#layers);
  }
}

/** A whole message, with its layers. */
function decodeFrame(frame: Bytes, { label, encryption }: Layers): Decoded<StreamMessage> {
  if (frame[0] !== type.encrypted) {
    return encryption?.refusesPlaintext === true ? refused('plaintext') : decodePlain(frame);
  }
  if (encryption === undefined) return refused('no-key-opens');
  const header = frame.subarray(0, envelopeHeaderLength);
  const opened = openEnvelope(encryption, frame.subarray(envelopeHeaderLength), concat(header, label));
  return opened.ok ? decodePlain(opened.value) : opened;
}

function decodePlain(bytes: Bytes): Decoded<StreamMessage> {
  if (bytes[0] !== type.compressed) return decodeBare(bytes);
  const message = decompress(bytes, streamInflation(bytes.length));
  return message.ok ? decodeBare(message.value) : message;
}

function decodeBare(bytes: Bytes): Decoded<StreamMessage> {
  switch (bytes[0]) {
    case type.pushPull:
      return decodePushPull(bytes);
    case type.user:
      return decodeUser(bytes);
    case type.error: {
      const from = new MsgpackReader(bytes, 1);
      const { error } = errorStruct.read(from);
      return from.failed ? refused('malformed') : decoded({ type: 'error', error });
    }
    case type.ping:
    case type.ack: {
      const message = decodeMessage(bytes);
      return message as Decoded<Ping | Ack>;
    }
    case type.compressed:
    case type.encrypted:
      return refused('bad-nesting');
    default:
      return refused(bytes.length === 0 ? 'truncated' : 'unknown-type');
  }
}

function decodeUser(bytes: Bytes): Decoded<User> {
  const from = new MsgpackReader(bytes, 1);
  const { userMsgLen } = userHeader.read(from);
  if (from.failed) return refused('malformed');
  const payload = bytes.subarray(from.at, from.at + userMsgLen);
  return payload.length < userMsgLen ? refused('truncated') : decoded({ type: 'user', payload });
}
