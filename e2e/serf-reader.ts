import {
  decodeConflictResponse,
  decodeCoordinate,
  decodeKeyResponse,
  decodeSerf,
  decodeTags,
  encodeSerf,
  encodeTags,
  kind,
} from 'memberlist-ts/serf/wire';
import { decodeDatagram, type Layers, type Message, type StreamMessage, StreamReader } from 'memberlist-ts/wire';

/** Takes the pieces of one direction of a stream. */
export type Decoder = (piece: Uint8Array) => void;

/** Reads all that nodes of a cluster of serf send, down to what queries and acks carry. */
export class SerfReader {
  /** How often each kind of message came. */
  readonly counts: Record<string, number> = {};
  /** What could not be read, or would be written otherwise. */
  readonly unknown: string[] = [];
  readonly #layers: Layers;

  constructor(layers: Layers) {
    this.#layers = layers;
  }

  datagram(bytes: Uint8Array): void {
    const { messages, refused } = decodeDatagram(bytes, this.#layers);
    for (const why of refused) this.#note(`datagram: ${why}`, bytes);
    for (const message of messages) this.#read(message);
  }

  stream(direction: 'request' | 'reply'): Decoder {
    const reader = new StreamReader(this.#layers, direction);
    let isDone = false;
    return (piece) => {
      const message = isDone ? undefined : reader.push(piece);
      if (message === undefined) return;
      isDone = true;
      if (message.ok) this.#read(message.value, 'stream ');
      else this.#note(`${direction}: ${message.why}`, piece);
    };
  }

  #read(message: Message | StreamMessage, how = ''): void {
    this.#count(how + message.type);
    switch (message.type) {
      case 'ack':
        // The ack of a ping for another node has no payload.
        if (message.payload.length === 0) break;
        this.#expect(decodeCoordinate(message.payload) !== undefined, 'coordinate', message.payload);
        break;
      case 'alive':
        this.#tags(message.meta);
        break;
      case 'user':
        this.#serf(message.payload);
        break;
      case 'pushPull':
        for (const { meta } of message.nodes) this.#tags(meta);
        this.#serf(message.userState);
        break;
      case 'error':
        this.unknown.push(`error: ${message.error}`);
    }
  }

  #serf(bytes: Uint8Array): void {
    const message = decodeSerf(bytes);
    if (!message.ok) {
      this.#note(`serf: ${message.why}`, bytes);
      return;
    }
    const { value } = message;
    this.#count(`serf ${value.type}`);
    if (value.type === 'relay') {
      this.#serf(value.message);
      return;
    }
    // A field that this package does not know would be missing.
    this.#expect(Buffer.from(encodeSerf(value)).equals(bytes), `serf ${value.type}`, bytes);
    if (value.type === 'queryResponse') this.#answer(value.payload);
  }

  #answer(payload: Uint8Array): void {
    if (payload[0] === kind.keyResponse) this.#expect(decodeKeyResponse(payload) !== undefined, 'keys', payload);
    if (payload[0] === kind.conflictResponse) {
      this.#expect(decodeConflictResponse(payload) !== undefined, 'conflict', payload);
    }
  }

  #tags(meta: Uint8Array): void {
    this.#expect(Buffer.from(encodeTags(decodeTags(meta))).equals(meta), 'tags', meta);
  }

  #expect(isKnown: boolean, what: string, bytes: Uint8Array): void {
    if (isKnown) this.#count(what);
    else this.#note(what, bytes);
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #note(what: string, bytes: Uint8Array): void {
    this.unknown.push(`${what} ${Buffer.from(bytes).toString('hex')}`);
  }
}
