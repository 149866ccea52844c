import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { intact } from '@causeway/proto/io';

/** Encoded size of a message, bytes. A property of the message, since a WeakMap of millions slows the garbage collector. */
const encodedBytes = Symbol('encoded bytes');

type Sized = ConnectRequest & { [encodedBytes]?: number };

/** Notes the size of a message that was just decoded. */
export function sized(request: ConnectRequest, bytes: number): ConnectRequest {
  (request as Sized)[encodedBytes] = bytes;
  return request;
}

/**
 * Messages that arrived and were not processed yet, with one reader. A message counts as processed when the reader asks for
 * the next. A manager reads some ten thousand messages each second, and an asynchronous generator would cost three promises
 * for each of them.
 */
export class Inbox implements AsyncIterableIterator<ConnectRequest, undefined> {
  /** Called when everything that arrived is processed. */
  readonly #processed: () => void;
  readonly #messages: Sized[] = [];
  #reading: Sized | undefined;
  #wake: (() => void) | undefined;
  #isEnded = false;
  #hasProcessed = false;
  #bytes = 0;

  constructor(processed: () => void) {
    this.#processed = processed;
  }

  /** Messages that wait for the reader. */
  get size(): number {
    return this.#messages.length;
  }

  /** Bytes of all messages that are not processed. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first message is processed. */
  get hasProcessed(): boolean {
    return this.#hasProcessed;
  }

  push(message: ConnectRequest): void {
    if (this.#isEnded) return;
    this.#bytes += bytesOf(message);
    this.#messages.push(message);
    this.#wake?.();
  }

  /** Messages that were pushed before are still read. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** @throws CausewayError invalid-argument when bytes came that are no message */
  async next(): Promise<IteratorResult<ConnectRequest, undefined>> {
    this.#finish();
    if (this.#messages.length === 0 && !this.#isEnded) await this.#arrival();
    const message = this.#messages.shift();
    if (message === undefined) return { done: true, value: undefined };
    this.#reading = message;
    return { done: false, value: intact(message) };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The message that was read last is processed. */
  #finish(): void {
    if (this.#reading === undefined) return;
    this.#bytes -= bytesOf(this.#reading);
    this.#reading = undefined;
    this.#hasProcessed = true;
    if (this.#messages.length === 0) this.#processed();
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function bytesOf(message: Sized): number {
  return message[encodedBytes] ?? 0;
}
