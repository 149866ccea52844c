import { type Bytes, noBytes, parseUtf8 } from './bytes.ts';
import { MsgpackCursor } from './msgpack-cursor.ts';

/**
 * Reads typed values. After the first value that is not as asked, `failed` stays true and every read returns an empty value,
 * so that a decoder checks once, at its end. As in Go, nil reads as the empty value of any type. Results are views of the
 * input.
 */
export class MsgpackReader {
  failed = false;
  readonly #bytes: Bytes;
  readonly #cursor: MsgpackCursor;

  constructor(bytes: Bytes, at = 0) {
    this.#bytes = bytes;
    this.#cursor = new MsgpackCursor(bytes, at);
  }

  get at(): number {
    return this.#cursor.at;
  }

  uint(max: number): number {
    return this.#is('uint') && this.#atMost(max) ? this.#cursor.value : 0;
  }

  bool(): boolean {
    return this.#is('bool') && this.#cursor.value === 1;
  }

  raw(max: number): Bytes {
    if (!this.#is('raw') || !this.#atMost(max)) return noBytes;
    const { at, value } = this.#cursor;
    this.#cursor.at += value;
    return this.#bytes.subarray(at, at + value);
  }

  text(max: number): string {
    const text = parseUtf8(this.raw(max));
    if (text === undefined) this.failed = true;
    return text ?? '';
  }

  /** A number with a fraction, in 4 or 8 bytes. */
  float(): number {
    const start = this.#cursor.at;
    if (!this.#is('float')) return 0;
    const { buffer, byteOffset } = this.#bytes;
    const view = new DataView(buffer, byteOffset + start + 1);
    return this.#bytes[start] === 0xcb ? view.getFloat64(0) : view.getFloat32(0);
  }

  /** The count of elements. */
  array(): number {
    return this.#is('array') ? this.#cursor.value : 0;
  }

  /** The count of pairs. */
  map(): number {
    return this.#is('map') ? this.#cursor.value : 0;
  }

  skip(): void {
    if (!this.failed && this.#cursor.skip() !== 'ok') this.failed = true;
  }

  #is(kind: MsgpackCursor['kind']): boolean {
    if (this.failed) return false;
    if (this.#cursor.next() !== 'ok') this.failed = true;
    else if (this.#cursor.kind === kind) return true;
    else if (this.#cursor.kind !== 'nil') this.failed = true;
    return false;
  }

  #atMost(max: number): boolean {
    if (this.#cursor.value > max) this.failed = true;
    return !this.failed;
  }
}
