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

/** Messages with their prefix. Most messages go to many agents. */
const frames = new WeakMap<Uint8Array, Buffer>();

/**
 * The sending side of a call whose messages are encoded already. grpc-js copies each message for each call, to put its prefix
 * before it, and puts an object stream before the HTTP/2 stream. For one delta to thousands of agents, or for a large table to
 * some of them, that is most of the work. Here all calls share the bytes. If grpc-js is not as expected, it sends as usual.
 */
export class FrameStream {
  readonly #call: ServerDuplexStream<unknown, Uint8Array>;
  readonly #internals: Internals;
  readonly #send: (message: Uint8Array, done: () => void) => void;

  constructor(call: ServerDuplexStream<unknown, Uint8Array>) {
    this.#call = call;
    this.#internals = (call as { call?: Internals }).call ?? {};
    const { serializeMessage, sendMessage } = this.#internals;
    if (serializeMessage === undefined || sendMessage === undefined) {
      this.#send = (message, done) => void call.write(message, done);
    } else {
      this.#internals.serializeMessage = frameOf;
      this.#send = (message, done) => sendMessage.call(this.#internals, message, done);
    }
  }

  /** `done` is called when the connection has taken the message; not if the connection breaks before. */
  write(message: Uint8Array, done: () => void): void {
    if (!this.#call.writableEnded && !this.#call.destroyed) this.#send(message, done);
  }

  /**
   * RFC 9113 §8.1: a server that has answered may ask its client to send no more. grpc-js leaves the client's half of the
   * stream open for as long as the client likes, with all that the stream holds in memory.
   */
  reset(): void {
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
