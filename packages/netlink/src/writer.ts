import { NLM_F_ACK, NLM_F_REQUEST } from './constants.ts';

/** Host byte order is little-endian: koffi, through which `io/` calls libc, supports no other hosts. */
const little = true;
const headerSize = 16;
const utf8 = new TextEncoder();

/**
 * Writes netlink messages one after the other into a growing buffer. An encoder calls `begin`, writes the fixed part with
 * `struct`, then attributes, then calls `end`. The socket that sends the message sets sequence numbers and the ack flag.
 */
export class MessageWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;
  #start = 0;
  #sequence = 0;
  #port = 0;
  #isSecret = false;

  constructor(size = 4096) {
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Call when a message has a secret: `forgetSecrets` then overwrites everything that was written. */
  hasSecrets(): void {
    this.#isSecret = true;
  }

  /** Call when the messages were sent. */
  forgetSecrets(): void {
    if (this.#isSecret) this.#bytes.fill(0);
    this.#isSecret = false;
  }

  /**
   * Discards all messages. The next message has this sequence number; later messages count up from it. `port`: of the socket that
   * sends the messages. Notifications of IPsec name what the message has as its sender.
   */
  reset(sequence: number, port = 0): void {
    this.#at = 0;
    this.#start = 0;
    this.#sequence = sequence;
    this.#port = port;
  }

  /** The messages written so far; valid until the next reset. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** The whole buffer; valid until the next write. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** The sequence number of the next message. */
  get sequence(): number {
    return this.#sequence;
  }

  begin(type: number, flags = 0): void {
    this.#room(headerSize);
    this.#start = this.#at;
    this.#view.setUint32(this.#at, 0, little);
    this.#view.setUint16(this.#at + 4, type, little);
    this.#view.setUint16(this.#at + 6, flags | NLM_F_REQUEST, little);
    this.#view.setUint32(this.#at + 8, this.#sequence, little);
    this.#view.setUint32(this.#at + 12, this.#port, little);
    this.#at += headerSize;
    this.#sequence = (this.#sequence + 1) >>> 0;
  }

  end(): void {
    this.#view.setUint32(this.#start, this.#at - this.#start, little);
  }

  /** Makes the kernel answer the last message also when it succeeds. */
  acknowledge(): void {
    const flags = this.#view.getUint16(this.#start + 6, little);
    this.#view.setUint16(this.#start + 6, flags | NLM_F_ACK, little);
  }

  /**
   * Reserves zeroed space for the fixed part, a multiple of 4 bytes. Fields are then put relative to the returned
   * offset.
   */
  struct(size: number): number {
    this.#room(size);
    this.#bytes.fill(0, this.#at, this.#at + size);
    const at = this.#at;
    this.#at += size;
    return at;
  }

  put8(at: number, value: number): void {
    this.#view.setUint8(at, value);
  }

  put16(at: number, value: number): void {
    this.#view.setUint16(at, value, little);
  }

  put32(at: number, value: number): void {
    this.#view.setUint32(at, value, little);
  }

  put64(at: number, value: bigint): void {
    this.#view.setBigUint64(at, value, little);
  }

  put16be(at: number, value: number): void {
    this.#view.setUint16(at, value);
  }

  put32be(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  u8(type: number, value: number): void {
    const at = this.attribute(type, 1);
    this.#view.setUint8(at, value);
  }

  u16be(type: number, value: number): void {
    const at = this.attribute(type, 2);
    this.#view.setUint16(at, value);
  }

  u32(type: number, value: number): void {
    const at = this.attribute(type, 4);
    this.#view.setUint32(at, value, little);
  }

  /** Writes the text and the terminating zero that the kernel requires. */
  string(type: number, text: string): void {
    const bytes = utf8.encode(text);
    const at = this.attribute(type, bytes.length + 1);
    this.#bytes.set(bytes, at);
  }

  nest(type: number, content: () => void): void {
    const at = this.#at;
    this.attribute(type, 0);
    content();
    this.#view.setUint16(at, this.#at - at, little);
  }

  /**
   * Writes a header and reserves zeroed, aligned space for the payload. Returns its offset in `buffer`, valid until the
   * next write.
   */
  attribute(type: number, length: number): number {
    const padded = (length + 3) & ~3;
    this.#room(4 + padded);
    const at = this.#at;
    this.#view.setUint16(at, 4 + length, little);
    this.#view.setUint16(at + 2, type, little);
    this.#bytes.fill(0, at + 4, at + 4 + padded);
    this.#at = at + 4 + padded;
    return at + 4;
  }

  #room(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + size));
    larger.set(this.#bytes.subarray(0, this.#at));
    if (this.#isSecret) this.#bytes.fill(0);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Writes one message. */
export type Encode = (to: MessageWriter) => void;
