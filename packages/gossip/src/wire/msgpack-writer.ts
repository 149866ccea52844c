import { type Bytes, putUint16, putUint32, utf8 } from './bytes.ts';

/**
 * Writes msgpack in the form that go-msgpack writes by default, the form before strings and bytes were told apart: both are
 * raw. The 8-bit form of a string (0xd9) and the binary forms (0xc4 to 0xc6) did not exist then, and Go refuses the latter
 * in a string.
 */
export class MsgpackWriter {
  #bytes = new Uint8Array(128);
  #length = 0;

  done(): Bytes {
    return this.#bytes.subarray(0, this.#length);
  }

  nil(): void {
    this.byte(0xc0);
  }

  bool(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  /** An integer from 0 to 2^53 - 1. */
  uint(value: number): void {
    if (value < 0x80) this.byte(value);
    else if (value < 0x1_00) this.#head8(0xcc, value);
    else if (value < 0x1_00_00) this.#head16(0xcd, value);
    else if (value < 2 ** 32) this.#head32(0xce, value);
    else {
      this.#head32(0xcf, Math.floor(value / 2 ** 32));
      const at = this.#reserve(4);
      putUint32(this.#bytes, at, value % 2 ** 32);
    }
  }

  text(value: string): void {
    this.raw(utf8(value));
  }

  raw(value: Bytes): void {
    const { length } = value;
    if (length < 32) this.byte(0xa0 | length);
    else if (length < 0x1_00_00) this.#head16(0xda, length);
    else this.#head32(0xdb, length);
    this.append(value);
  }

  /** As 8 bytes, as Go writes its float64. */
  float(value: number): void {
    const at = this.#reserve(9);
    this.#bytes[at] = 0xcb;
    new DataView(this.#bytes.buffer).setFloat64(at + 1, value);
  }

  array(count: number): void {
    if (count < 16) this.byte(0x90 | count);
    else this.#head16(0xdc, count);
  }

  map(pairs: number): void {
    if (pairs < 16) this.byte(0x80 | pairs);
    else this.#head16(0xde, pairs);
  }

  /** Writes the bytes as they are. */
  append(bytes: Bytes): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  byte(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  #head8(first: number, value: number): void {
    const at = this.#reserve(2);
    this.#bytes[at] = first;
    this.#bytes[at + 1] = value;
  }

  #head16(first: number, value: number): void {
    const at = this.#reserve(3);
    this.#bytes[at] = first;
    putUint16(this.#bytes, at + 1, value);
  }

  #head32(first: number, value: number): void {
    const at = this.#reserve(5);
    this.#bytes[at] = first;
    putUint32(this.#bytes, at + 1, value);
  }

  /** Makes room, perhaps in a new buffer: call this before `#bytes` is read. */
  #reserve(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}
