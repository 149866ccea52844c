export type Bytes = Uint8Array;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

export function equalBytes(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function concat(...parts: readonly Bytes[]): Bytes {
  const writer = new Writer();
  for (const part of parts) writer.raw(part);
  return writer.done();
}

/** What writers that are done have used: small buffers are what a node allocates most. */
const spare: Bytes[] = [];
const nothing: Bytes = new Uint8Array(0);
const scratchSize = 2_048;
const mostSpare = 8;

/** Writes numbers in network byte order. */
export class Writer {
  #bytes: Bytes = spare.pop() ?? new Uint8Array(scratchSize);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
    return this;
  }

  u64(value: bigint): this {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value);
    return this;
  }

  raw(bytes: Bytes): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** An identifier of 16 hex digits, as 8 bytes. */
  id(digits: string): this {
    return this.u64(BigInt(`0x${digits}`));
  }

  /** At most 255 bytes, after their count. */
  short(bytes: Bytes): this {
    return this.u8(bytes.length).raw(bytes);
  }

  /** A copy of what was written. The writer is over. */
  done(): Bytes {
    const bytes = this.#bytes.slice(0, this.#length);
    if (this.#bytes.length === scratchSize && spare.length < mostSpare) spare.push(this.#bytes);
    this.#bytes = nothing;
    return bytes;
  }

  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/**
 * Reads numbers in network byte order. A read beyond the end gives zeros, allocates nothing, and makes `isOk` false for
 * good: a decoder checks once, at its end, and before each loop whose count came from the bytes.
 */
export class Reader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;
  #isOk = true;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isOk(): boolean {
    return this.#isOk;
  }

  /** Everything was read, and nothing beyond. */
  get isDone(): boolean {
    return this.#isOk && this.#at === this.#bytes.length;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The bytes from `from` up to what was read last. */
  since(from: number): Bytes {
    return this.#bytes.subarray(from, this.#at);
  }

  /** What was read breaks a rule. */
  fail(): void {
    this.#isOk = false;
  }

  u8(): number {
    return this.#has(1) ? this.#view.getUint8(this.#at++) : 0;
  }

  u16(): number {
    return this.#has(2) ? this.#view.getUint16(this.#skip(2)) : 0;
  }

  u32(): number {
    return this.#has(4) ? this.#view.getUint32(this.#skip(4)) : 0;
  }

  u64(): bigint {
    return this.#has(8) ? this.#view.getBigUint64(this.#skip(8)) : 0n;
  }

  raw(count: number): Bytes {
    if (!this.#has(count)) return this.#bytes.subarray(0, 0);
    const at = this.#skip(count);
    return this.#bytes.subarray(at, at + count);
  }

  id(): string {
    return this.u64().toString(16).padStart(16, '0');
  }

  short(): Bytes {
    return this.raw(this.u8());
  }

  /** Bytes that are not UTF-8 are a failure. */
  text(count: number): string {
    try {
      return decoder.decode(this.raw(count));
    } catch {
      this.fail();
      return '';
    }
  }

  #has(count: number): boolean {
    if (this.#isOk && this.left >= count) return true;
    this.#isOk = false;
    return false;
  }

  #skip(count: number): number {
    const at = this.#at;
    this.#at += count;
    return at;
  }
}
