import { type Bytes, uint16, uint32 } from './bytes.ts';

export type Kind = 'nil' | 'bool' | 'uint' | 'negative' | 'float' | 'raw' | 'ext' | 'array' | 'map';

/** [kind, bytes of the number after the first byte] of the first bytes 0xc0 to 0xdf. Byte 0xc1 is unused. */
const wide: ReadonlyMap<number, readonly [Kind, number]> = new Map([
  [0xc0, ['nil', 0]],
  [0xc2, ['bool', 0]],
  [0xc3, ['bool', 0]],
  [0xc4, ['raw', 1]],
  [0xc5, ['raw', 2]],
  [0xc6, ['raw', 4]],
  [0xc7, ['ext', 1]],
  [0xc8, ['ext', 2]],
  [0xc9, ['ext', 4]],
  [0xca, ['float', 4]],
  [0xcb, ['float', 8]],
  [0xcc, ['uint', 1]],
  [0xcd, ['uint', 2]],
  [0xce, ['uint', 4]],
  [0xcf, ['uint', 8]],
  [0xd0, ['negative', 1]],
  [0xd1, ['negative', 2]],
  [0xd2, ['negative', 4]],
  [0xd3, ['negative', 8]],
  [0xd9, ['raw', 1]],
  [0xda, ['raw', 2]],
  [0xdb, ['raw', 4]],
  [0xdc, ['array', 2]],
  [0xdd, ['array', 4]],
  [0xde, ['map', 2]],
  [0xdf, ['map', 4]],
]);

/**
 * Steps over msgpack, one head at a time: the first bytes of a value, which say its kind and its number. Nothing is
 * allocated, whatever lengths the input declares.
 */
export class MsgpackCursor {
  at: number;
  kind: Kind = 'nil';
  /**
   * The number of the head: an integer, 0 or 1 of a bool, the length of a raw or ext, the count of an array, the count of
   * pairs of a map. The number of a float is not read.
   */
  value = 0;
  readonly #bytes: Bytes;
  readonly #end: number;

  constructor(bytes: Bytes, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  /** Reads a head. The content of a raw or ext begins at `at` then, and has arrived. */
  next(): 'ok' | 'truncated' | 'malformed' {
    if (this.at >= this.#end) return 'truncated';
    const first = this.#bytes[this.at] ?? 0;
    if (first < 0x80) return this.#found('uint', first, 1);
    if (first < 0x90) return this.#found('map', first & 0x0f, 1);
    if (first < 0xa0) return this.#found('array', first & 0x0f, 1);
    if (first < 0xc0) return this.#found('raw', first & 0x1f, 1);
    if (first >= 0xe0) return this.#found('negative', first - 256, 1);
    if (first >= 0xd4 && first <= 0xd8) return this.#found('ext', 1 + (1 << (first - 0xd4)), 1);
    const form = wide.get(first);
    if (form === undefined) return 'malformed';
    const [kind, width] = form;
    if (this.at + 1 + width > this.#end) return 'truncated';
    const number = kind === 'bool' ? first - 0xc2 : kind === 'float' ? 0 : this.#number(width);
    if (kind === 'ext') return this.#found('ext', number + 1, 1 + width);
    if (kind !== 'negative') return this.#found(kind, number, 1 + width);
    // The signed forms may hold a number that is not negative.
    const sign = 2 ** (8 * width - 1);
    return number < sign ? this.#found('uint', number, 1 + width) : this.#found(kind, number - 2 * sign, 1 + width);
  }

  /** Steps over `count` whole values, with all that they contain. The cursor is a counter and not a stack: depth costs nothing. */
  skip(count = 1): 'ok' | 'truncated' | 'malformed' {
    for (let left = count; left > 0; left--) {
      const result = this.next();
      if (result !== 'ok') return result;
      left += this.enter();
    }
    return 'ok';
  }

  /** After `next`: steps over the content of a raw or ext, and returns how many values the value contains. */
  enter(): number {
    if (this.kind === 'raw' || this.kind === 'ext') this.at += this.value;
    return this.kind === 'array' ? this.value : this.kind === 'map' ? 2 * this.value : 0;
  }

  #found(kind: Kind, value: number, head: number): 'ok' | 'truncated' {
    const hasContent = kind === 'raw' || kind === 'ext';
    if (hasContent && this.at + head + value > this.#end) return 'truncated';
    this.kind = kind;
    this.value = value;
    this.at += head;
    return 'ok';
  }

  #number(width: number): number {
    const at = this.at + 1;
    if (width === 1) return this.#bytes[at] ?? 0;
    if (width === 2) return uint16(this.#bytes, at);
    if (width === 4) return uint32(this.#bytes, at);
    return width === 8 ? uint32(this.#bytes, at) * 2 ** 32 + uint32(this.#bytes, at + 4) : 0;
  }
}
