import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ServerDuplexStream } from '@grpc/grpc-js';

/** The part of grpc-js below a call (`BaseServerInterceptingCall`, 1.14). It is not public, so each use checks for it. */
interface Internals {
  readonly stream?: Partial<Pick<ServerHttp2Stream, 'closed' | 'close'>>;
  serializeMessage?(message: Uint8Array): Buffer;
  sendMessage?(message: Uint8Array, done: () => void): void;
}

/** Length of what gRPC puts before each message: a flag, and the message's length. */
const prefixBytes = 5;

/**
 * Most bytes that the connection gets at a time. Node encrypts all that it gets at once, and keeps buffers for the most that it had
 * to encrypt: of 17 KiB if that was less, of 32 KiB and more after one large table.
 */
const mostAtOnce = 8 * 1024;

/** An agent closes its end when the session is over. If the peer does not, the stream is reset this time after the end. */
const lingerMs = 2_000;
/** Within this time a slow client must have taken all messages that were sent before the end. */
const patienceMs = 60_000;

/** Messages with their prefix. Most messages go to many agents. */
const frames = new WeakMap<Uint8Array, Buffer>();

/** A message, or the rest of one, that waits for the connection. */
interface Waiting {
  readonly bytes: Buffer;
  readonly done: () => void;
}

/**
 * The sending side of a call whose messages are encoded already. grpc-js copies each message for each call, to put its prefix
 * before it, and puts an object stream before the HTTP/2 stream. For one delta to thousands of agents, or for a large table to
 * some of them, that is most of the work. Here all calls share the bytes. If grpc-js is not as expected, it sends as usual.
 */
export class FrameStream {
  readonly #call: ServerDuplexStream<unknown, Uint8Array>;
  readonly #internals: Internals;
  readonly #write: ((bytes: Buffer, done: () => void) => void) | undefined;
  readonly #waiting: Waiting[] = [];
  /** Bytes that the connection has got and not taken. */
  #underWay = 0;
  #end: (() => void) | undefined;

  constructor(call: ServerDuplexStream<unknown, Uint8Array>) {
    this.#call = call;
    this.#internals = (call as { call?: Internals }).call ?? {};
    const { serializeMessage, sendMessage } = this.#internals;
    if (serializeMessage === undefined || sendMessage === undefined) return;
    this.#internals.serializeMessage = (bytes) => bytes as Buffer;
    this.#write = (bytes, done) => sendMessage.call(this.#internals, bytes, done);
  }

  /** `done` is called when the connection has taken the message; not if the connection breaks before. */
  write(message: Uint8Array, done: () => void): void {
    if (this.#call.writableEnded || this.#call.destroyed) return;
    if (this.#write === undefined) return void this.#call.write(message, done);
    this.#waiting.push({ bytes: frameOf(message), done });
    this.#sendMore();
  }

  /**
   * Calls `end` when the connection has got all messages. Resets the stream if the client does not take them in bounded time, or does
   * not close its half afterwards.
   */
  end(end: () => void): void {
    const impatient = setTimeout(() => this.#reset(), patienceMs).unref();
    this.#end = () => {
      clearTimeout(impatient);
      setTimeout(() => this.#reset(), lingerMs).unref();
      end();
    };
    this.#sendMore();
  }

  #sendMore(): void {
    while (this.#underWay < mostAtOnce) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      const room = mostAtOnce - this.#underWay;
      const isLast = next.bytes.length <= room;
      const piece = isLast ? next.bytes : next.bytes.subarray(0, room);
      if (!isLast) this.#waiting.unshift({ bytes: next.bytes.subarray(room), done: next.done });
      this.#underWay += piece.length;
      this.#write?.(piece, () => {
        this.#underWay -= piece.length;
        if (isLast) next.done();
        this.#sendMore();
      });
    }
    if (this.#waiting.length > 0) return;
    const end = this.#end;
    this.#end = undefined;
    end?.();
  }

  /**
   * RFC 9113 §8.1: a server that has answered may ask its client to send no more. grpc-js leaves the client's half of the
   * stream open for as long as the client likes, with all that the stream holds in memory.
   */
  #reset(): void {
    const { stream } = this.#internals;
    if (stream?.closed === false) stream.close?.(constants.NGHTTP2_NO_ERROR);
  }
}

function frameOf(message: Uint8Array): Buffer {
  const known = frames.get(message);
  if (known !== undefined) return known;
  const frame = Buffer.allocUnsafe(prefixBytes + message.length);
  frame.writeUInt8(0, 0); // not compressed
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixBytes);
  frames.set(message, frame);
  return frame;
}
