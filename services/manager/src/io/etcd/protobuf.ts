/**
 * The part of protobuf's encoding that etcd's messages have (https://protobuf.dev/programming-guides/encoding), on the
 * bytes themselves: a batch of claims is a thousand keys each way, and an object for each message and a text for each
 * number were what most of it cost.
 */
type WireType = 0 | 1 | 2 | 5;

/** Room for a transaction of one claim; doubled as often as need be. */
const roomAtFirst = 2048;

/**
 * Writes from the end to the start, so that what a message takes is known when its length is written. Fields, and the
 * items of repeated ones, are therefore given last first.
 */
export class ProtobufWriter {
  #bytes: Buffer = Buffer.allocUnsafe(roomAtFirst);
  #start = roomAtFirst;

  /** What was written. The writer is not used any more. */
  finish(): Buffer {
    return this.#bytes.subarray(this.#start);
  }

  /** Of a type that is a varint: not negative. */
  number(field: number, value: bigint | number): void {
    if (value <= Number.MAX_SAFE_INTEGER) this.#varint(Number(value));
    else this.#longVarint(BigInt(value));
    this.#tag(field, 0);
  }

  text(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    const at = this.#room(length);
    this.#bytes.write(value, at, length);
    this.#lengthDelimited(field, length);
  }

  bytes(field: number, value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    this.#lengthDelimited(field, value.length);
  }

  /** How much there is: where a message ends whose fields come next. */
  mark(): number {
    return this.#bytes.length - this.#start;
  }

  /** What was written since the mark, as a message. */
  message(field: number, mark: number): void {
    this.#lengthDelimited(field, this.mark() - mark);
  }

  #lengthDelimited(field: number, length: number): void {
    this.#varint(length);
    this.#tag(field, 2);
  }

  #tag(field: number, type: WireType): void {
    this.#varint(field * 8 + type);
  }

  #varint(value: number): void {
    let at = this.#room(value < 0x80 ? 1 : sizeOf(value));
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[at] = rest;
  }

  /** Of what no number holds exactly, such as the id of a lease. */
  #longVarint(value: bigint): void {
    const groups: number[] = [];
    for (let rest = value; rest > 0n; rest >>= 7n) groups.push(Number(rest & 0x7fn));
    let at = this.#room(groups.length);
    for (const [i, group] of groups.entries()) this.#bytes[at++] = i < groups.length - 1 ? group | 0x80 : group;
  }

  /** Where so many bytes begin that go before what there is. */
  #room(length: number): number {
    while (this.#start < length) {
      const more = Buffer.allocUnsafe(2 * this.#bytes.length);
      more.set(this.#bytes.subarray(this.#start), more.length - this.#bytes.length + this.#start);
      this.#start += this.#bytes.length;
      this.#bytes = more;
    }
    this.#start -= length;
    return this.#start;
  }
}

function sizeOf(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Reads the fields of one message in the order they come. @throws RangeError, from any of them, where the bytes are no message */
export class ProtobufReader {
  readonly #bytes: Buffer;
  #at: number;
  #end: number;
  #type = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
  }

  /** The number of the next field, whose content is to be read or skipped; 0: the message has no more. */
  next(): number {
    if (this.#at === this.#end) return 0;
    const tag = this.number();
    this.#type = tag % 8;
    return Math.floor(tag / 8);
  }

  skip(): void {
    if (this.#type === 0) this.number();
    else if (this.#type === 1) this.#take(8);
    else if (this.#type === 2) this.#take(this.number());
    else if (this.#type === 5) this.#take(4);
    else throw new RangeError(`no wire type of protobuf: ${this.#type}`);
  }

  /** Exact up to 2^53: revisions are, ids are not. */
  number(): number {
    let value = 0;
    for (let scale = 1; this.#at < this.#end; scale *= 0x80) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('the message ends within a number');
  }

  /** Exact whatever its size: for ids. */
  long(): bigint {
    let value = 0n;
    for (let shift = 0n; this.#at < this.#end; shift += 7n) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('the message ends within a number');
  }

  boolean(): boolean {
    return this.number() !== 0;
  }

  text(): string {
    const length = this.number();
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** A slice of the message: of a snapshot's values, each on its own would be as many small buffers as it has keys. */
  bytes(): Uint8Array {
    const length = this.number();
    const start = this.#take(length);
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }

  /** A message within this one: `read` finds nothing but its fields, and all of them. */
  message<Value>(read: (fields: ProtobufReader) => Value): Value {
    const length = this.number();
    const start = this.#take(length);
    const end = this.#end;
    [this.#at, this.#end] = [start, start + length];
    const value = read(this);
    [this.#at, this.#end] = [start + length, end];
    return value;
  }

  /** Where so many bytes begin; they are passed over. */
  #take(length: number): number {
    const start = this.#at;
    if (start + length > this.#end) throw new RangeError('the message ends within a field');
    this.#at = start + length;
    return start;
  }
}
