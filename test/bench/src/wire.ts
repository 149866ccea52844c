/** The parts of gRPC's and protobuf's wire formats that simulated agents need. Rows of tables are skipped unread. */

/** What a message of a session's manager says, as far as its first bytes show. */
export interface Glance {
  /** Field of ConnectResponse. */
  readonly field: number;
  /** The network of a Complete or Delta; empty otherwise. */
  readonly networkId: string;
  /** The network's revision after the message, of Complete and Delta. */
  readonly revision: bigint;
}

/** Fields of ConnectResponse. */
export const responseFields = { welcome: 1, complete: 2, delta: 3, withdraw: 4, ready: 5, goodbye: 7 } as const;

/** Enough for everything before the rows of a Complete: a network is some hundred bytes. */
export const glanceBytes = 4096;

/** A message with the length prefix of gRPC. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** Reads the beginning of a message. `head` may be cut after `glanceBytes`. */
export function glance(head: Buffer): Glance {
  const outer = new Reader(head);
  const field = outer.tag();
  outer.varint(); // length of the whole message
  let networkId = '';
  let revision = 0n;
  if (field === responseFields.complete) {
    networkId = new Reader(outer.bytesOf(1)).textOf(1);
    revision = outer.numberOf(2);
  } else if (field === responseFields.delta) {
    networkId = outer.textOf(1);
    revision = outer.numberOf(3);
  }
  return { field, networkId, revision };
}

/** Reads fields in the order of their numbers, as protobuf-ts writes them. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  tag(): number {
    return Number(this.varint() >> 3n);
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  bytesOf(field: number): Buffer {
    this.#expect(field);
    const length = Number(this.varint());
    const start = this.#at;
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  textOf(field: number): string {
    return this.bytesOf(field).toString('latin1');
  }

  /** The field, before which others of type varint may be. */
  numberOf(field: number): bigint {
    for (;;) {
      const found = this.tag();
      const value = this.varint();
      if (found === field) return value;
      if (found > field) throw new Error(`field ${field} is missing`);
    }
  }

  #expect(field: number): void {
    const found = this.tag();
    if (found !== field) throw new Error(`field ${found} where ${field} should be`);
  }
}

/** Cuts a stream into messages, and keeps only the first bytes of each. */
export class Heads {
  #head: Buffer[] = [];
  #kept = 0;
  /** Bytes of the present message that have not arrived; undefined: its length is not known yet. */
  #missing: number | undefined;

  *take(chunk: Buffer): Generator<Buffer, void> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#missing === undefined) {
        const prefix = this.#keep(rest, 5 - this.#kept);
        rest = rest.subarray(prefix);
        if (this.#kept < 5) return;
        this.#missing = this.#joined().readUInt32BE(1);
        this.#clear();
      } else {
        const part = rest.subarray(0, this.#missing);
        this.#keep(part, glanceBytes - this.#kept);
        this.#missing -= part.length;
        rest = rest.subarray(part.length);
      }
      if (this.#missing !== 0) continue;
      const head = this.#joined();
      this.#clear();
      this.#missing = undefined;
      yield head;
    }
  }

  #keep(bytes: Buffer, most: number): number {
    const kept = bytes.subarray(0, most);
    if (kept.length > 0) this.#head.push(kept);
    this.#kept += kept.length;
    return kept.length;
  }

  #joined(): Buffer {
    return this.#head.length === 1 && this.#head[0] !== undefined ? this.#head[0] : Buffer.concat(this.#head);
  }

  #clear(): void {
    this.#head = [];
    this.#kept = 0;
  }
}
