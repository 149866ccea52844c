import { NLA_TYPE_MASK } from './constants.ts';

const little = true;
const messageHeader = 16;
const attributeHeader = 4;
const utf8 = new TextDecoder();

/** The bytes are not a netlink message: a length points outside, or a field is missing. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** A cursor over the messages of one datagram. Its properties describe the message that `next` has moved to. */
export class MessageReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #length: number;
  #next = 0;
  type = 0;
  flags = 0;
  sequence = 0;
  /** The port (nlmsg_pid) of the socket that the message is an answer to, or whose request caused a notification; 0: none did. */
  port = 0;
  /** Offsets at which the message's payload begins and ends. */
  start = 0;
  end = 0;

  /** The datagram is the first `length` bytes. */
  constructor(bytes: Uint8Array, length = bytes.length) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, length);
    this.#length = length;
  }

  next(): boolean {
    const at = this.#next;
    if (at + messageHeader > this.#length) {
      if (at < this.#length) throw new DecodeError(`${this.#length - at} bytes are too few for a message header`);
      return false;
    }
    const length = this.view.getUint32(at, little);
    if (length < messageHeader || at + length > this.#length) {
      throw new DecodeError(`message of ${length} bytes in ${this.#length - at}`);
    }
    this.type = this.view.getUint16(at + 4, little);
    this.flags = this.view.getUint16(at + 6, little);
    this.sequence = this.view.getUint32(at + 8, little);
    this.port = this.view.getUint32(at + 12, little);
    this.start = at + messageHeader;
    this.end = at + length;
    this.#next = Math.min(at + ((length + 3) & ~3), this.#length);
    return true;
  }

  /** Fields of the fixed part, by their offset in it. */
  u8(offset: number): number {
    return this.view.getUint8(this.#field(offset, 1));
  }

  u16(offset: number): number {
    return this.view.getUint16(this.#field(offset, 2), little);
  }

  u32(offset: number): number {
    return this.view.getUint32(this.#field(offset, 4), little);
  }

  i32(offset: number): number {
    return this.view.getInt32(this.#field(offset, 4), little);
  }

  /** The fixed part from this offset on, in the datagram: valid until the datagram's buffer is used again. */
  slice(offset: number, size: number): Uint8Array {
    const at = this.#field(offset, size);
    return this.bytes.subarray(at, at + size);
  }

  /** The attributes after a fixed part of this size. */
  attributes(fixed: number): AttributeReader {
    return new AttributeReader(this.bytes, this.view, Math.min(this.start + fixed, this.end), this.end);
  }

  /** Overwrites the message, which may contain secrets. */
  erase(): void {
    this.bytes.fill(0, this.start, this.end);
  }

  #field(offset: number, size: number): number {
    const at = this.start + offset;
    if (at + size > this.end) throw new DecodeError(`message type ${this.type} ends before its field at ${offset}`);
    return at;
  }
}

/** A cursor over attributes. The value readers read the attribute that `next` has moved to. */
export class AttributeReader {
  /** The whole datagram: see `value`. */
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #limit: number;
  #next: number;
  #start = 0;
  #end = 0;
  type = 0;

  constructor(bytes: Uint8Array, view: DataView, start: number, limit: number) {
    this.bytes = bytes;
    this.#view = view;
    this.#next = start;
    this.#limit = limit;
  }

  /** Moves to the next attribute. Up to 3 bytes at the end are padding. */
  next(): boolean {
    const at = this.#next;
    if (at + attributeHeader > this.#limit) return false;
    const length = this.#view.getUint16(at, little);
    if (length < attributeHeader || at + length > this.#limit) {
      throw new DecodeError(`attribute of ${length} bytes in ${this.#limit - at}`);
    }
    this.type = this.#view.getUint16(at + 2, little) & NLA_TYPE_MASK;
    this.#start = at + attributeHeader;
    this.#end = at + length;
    this.#next = at + ((length + 3) & ~3);
    return true;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  u8(): number {
    return this.#view.getUint8(this.value(1));
  }

  u16be(): number {
    return this.#view.getUint16(this.value(2));
  }

  u32(): number {
    return this.#view.getUint32(this.value(4), little);
  }

  /** The text up to the first zero byte. */
  string(): string {
    const zero = this.bytes.indexOf(0, this.#start);
    const end = zero < 0 || zero > this.#end ? this.#end : zero;
    return utf8.decode(this.bytes.subarray(this.#start, end));
  }

  /** The value, in the datagram: valid until the datagram's buffer is used again. */
  slice(): Uint8Array {
    return this.bytes.subarray(this.#start, this.#end);
  }

  nested(): AttributeReader {
    return new AttributeReader(this.bytes, this.#view, this.#start, this.#end);
  }

  /** The offset of the value in `bytes`. Throws if the value is shorter than `size` bytes. */
  value(size: number): number {
    if (this.length < size) throw new DecodeError(`attribute ${this.type} has ${this.length} bytes, not ${size}`);
    return this.#start;
  }
}
