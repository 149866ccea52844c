import { type Bytes, concat, putUint32, uint32 } from './bytes.ts';
import { compoundOverhead, decodeCompound, partOverhead } from './compound.ts';
import { compress, datagramInflation, decompress } from './compressed.ts';
import { crc32 } from './crc32.ts';
import { type Encryption, envelopeRoom, openEnvelope, sealEnvelope } from './envelope.ts';
import { afterLabel, labelHeader } from './label.ts';
import { maxDatagram, maxParts } from './limits.ts';
import { decodeMessage, type Message } from './message.ts';
import { type } from './message-type.ts';
import type { Refusal } from './refusal.ts';

/** What all nodes of a cluster agree on. */
export interface Layers {
  readonly label: Bytes;
  /** Undefined: the cluster does not encrypt. */
  readonly encryption: Encryption | undefined;
  /** Whether this node compresses what it sends. Every node reads compressed messages. */
  readonly compresses: boolean;
}

/** The type byte and the checksum. */
const checksumOverhead = 5;

// [label] [encryption] [checksum] [compression] message or compound message: built from the right, peeled from the left.

/** The datagram with this message. `checksum`: only for receivers whose record says that they read it. */
export function encodeDatagram(message: Bytes, layers: Layers, checksum: boolean): Bytes {
  const { label, encryption, compresses } = layers;
  const compressed = compresses ? compress(message) : message;
  const command = compressed.length < message.length ? compressed : message;
  const plaintext = checksum ? withChecksum(command) : command;
  const isSealed = encryption?.encryptsOutgoing === true;
  return concat(labelHeader(label), isSealed ? sealEnvelope(encryption, plaintext, label) : plaintext);
}

/** How many bytes of messages fit into a datagram of `size` bytes, whatever layers it gets. */
export function datagramRoom(size: number, { label, encryption }: Layers): number {
  const room = size - labelHeader(label).length;
  const plaintext = encryption?.encryptsOutgoing === true ? envelopeRoom(encryption.version, room) : room;
  return plaintext - checksumOverhead;
}

/** Messages for one datagram: this is the only place where their bytes are counted. */
export class Packet {
  readonly parts: Bytes[] = [];
  #room: number;

  /** `room`: as `datagramRoom` says. */
  constructor(room: number) {
    this.#room = room - compoundOverhead;
  }

  /** How long the next message may be; negative when the packet is full. */
  get room(): number {
    return this.parts.length === maxParts ? -1 : this.#room - partOverhead;
  }

  /** How many messages more the packet may have. */
  get partsLeft(): number {
    return maxParts - this.parts.length;
  }

  /** Adds the message if it fits. */
  add(message: Bytes): boolean {
    if (message.length > this.room) return false;
    this.parts.push(message);
    this.#room -= message.length + partOverhead;
    return true;
  }
}

/** What a datagram says. Parts that are refused do not hide the other parts. */
export interface Received {
  readonly messages: readonly Message[];
  readonly refused: readonly Refusal[];
}

export function decodeDatagram(datagram: Bytes, { label, encryption }: Layers): Received {
  if (datagram.length > maxDatagram) return nothing('too-long');
  const body = afterLabel(datagram, label);
  if (body === 'wrong-label' || body === 'truncated') return nothing('wrong-label');
  if (encryption === undefined) return checked(body);
  const opened = openEnvelope(encryption, body, label);
  if (opened.ok) return checked(opened.value);
  // A datagram in plain text may look like an envelope, so only the keys tell which of the two came.
  return encryption.refusesPlaintext ? nothing(opened.why) : checked(body);
}

function checked(bytes: Bytes): Received {
  if (bytes[0] !== type.checksum) return inflated(bytes);
  if (bytes.length < checksumOverhead) return nothing('truncated');
  const command = bytes.subarray(checksumOverhead);
  return uint32(bytes, 1) === crc32(command) ? inflated(command) : nothing('bad-checksum');
}

function inflated(bytes: Bytes): Received {
  if (bytes[0] !== type.compressed) return parts(bytes);
  const message = decompress(bytes, datagramInflation);
  return message.ok ? parts(message.value) : nothing(message.why);
}

function parts(bytes: Bytes): Received {
  if (bytes[0] !== type.compound) return received([bytes]);
  const all = decodeCompound(bytes);
  return all.ok ? received(all.value) : nothing(all.why);
}

function received(all: readonly Bytes[]): Received {
  const messages: Message[] = [];
  const refused: Refusal[] = [];
  for (const part of all) {
    const message = decodeMessage(part);
    if (message.ok) messages.push(message.value);
    else refused.push(isLayer(part[0]) ? 'bad-nesting' : message.why);
  }
  return { messages, refused };
}

/** Go unpacks layers inside parts, to any depth, and sends none: what nests deeper is an attack. */
function isLayer(byte: number | undefined): boolean {
  return byte === type.compound || byte === type.compressed || byte === type.checksum;
}

function withChecksum(bytes: Bytes): Bytes {
  const head = new Uint8Array(checksumOverhead);
  head[0] = type.checksum;
  putUint32(head, 1, crc32(bytes));
  return concat(head, bytes);
}

function nothing(why: Refusal): Received {
  return { messages: [], refused: [why] };
}
