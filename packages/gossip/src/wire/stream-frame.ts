import { type Bytes, uint32 } from './bytes.ts';
import { afterLabel, labelHeader } from './label.ts';
import { maxStream } from './limits.ts';
import { type } from './message-type.ts';
import { MsgpackCursor } from './msgpack-cursor.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { pushPullHeader } from './push-pull.ts';
import { type Decoded, decoded, refused } from './refusal.ts';
import { struct, uint } from './struct.ts';

/** The type byte and the length of the envelope: both are authenticated with the envelope. */
export const envelopeHeaderLength = 5;

export const userHeader = struct({ UserMsgLen: uint(maxStream) });

const streamTypes: ReadonlySet<number> = new Set([
  type.ping,
  type.ack,
  type.pushPull,
  type.user,
  type.compressed,
  type.encrypted,
  type.error,
]);

/**
 * Finds the end of a message in a stream. Most messages do not begin with their length, so the frame steps over their msgpack
 * values as these arrive. Each byte is looked at once, and memory grows with what has arrived, never with what is announced.
 */
export class StreamFrame {
  readonly #label: Bytes | undefined;
  #buffer = new Uint8Array(1024);
  #length = 0;
  /** Where the message begins; undefined until the label has arrived. */
  #start: number | undefined;
  /** How far the message has been stepped over. */
  #at = 0;
  /** Values that are still to come, as far as is known. */
  #values = 1;
  /** Bytes that come after the values; undefined until the first value has said so. */
  #tail: number | undefined;

  /** `label`: the stream begins with a label, which may be the empty one. */
  constructor(label: Bytes | undefined) {
    this.#label = label;
  }

  /** Whether so much has arrived that the length of what follows is known, or the frame of a layer has begun. */
  get hasHeader(): boolean {
    if (this.#start === undefined) return false;
    const byte = this.#buffer[this.#start];
    const isLayer = byte === type.encrypted || byte === type.compressed;
    return isLayer ? this.#length >= this.#start + envelopeHeaderLength : this.#tail !== undefined;
  }

  /** The whole message, without the label; undefined while the message is not complete. */
  push(piece: Bytes): Decoded<Bytes> | undefined {
    if (this.#length + piece.length > maxStream) return refused('too-long');
    this.#append(piece);
    if (this.#start === undefined && this.#label !== undefined) {
      const rest = afterLabel(this.#arrived(), this.#label);
      if (rest === 'truncated') return undefined;
      if (rest === 'wrong-label') return refused(rest);
    }
    if (this.#start === undefined) this.#start = this.#label === undefined ? 0 : labelHeader(this.#label).length;
    return this.#length > this.#start ? this.#step(this.#start) : undefined;
  }

  #step(start: number): Decoded<Bytes> | undefined {
    const byte = this.#buffer[start] ?? 0;
    if (!streamTypes.has(byte)) return refused('unknown-type');
    const end = byte === type.encrypted ? this.#endOfEnvelope(start) : this.#endOfValues(start, byte);
    if (end === undefined) return undefined;
    if (end === 'malformed') return refused('malformed');
    if (end > maxStream) return refused('too-long');
    return end <= this.#length ? decoded(this.#buffer.subarray(start, end)) : undefined;
  }

  #endOfEnvelope(start: number): number | undefined {
    const body = start + envelopeHeaderLength;
    return this.#length < body ? undefined : body + uint32(this.#buffer, start + 1);
  }

  #endOfValues(start: number, byte: number): number | 'malformed' | undefined {
    const cursor = new MsgpackCursor(this.#buffer, Math.max(this.#at, start + 1), this.#length);
    for (;;) {
      while (this.#values > 0) {
        const result = cursor.next();
        if (result === 'truncated') return undefined;
        if (result === 'malformed') return 'malformed';
        this.#values += cursor.enter() - 1;
        this.#at = cursor.at;
      }
      if (this.#tail !== undefined) return this.#at + this.#tail;
      const from = new MsgpackReader(this.#buffer.subarray(0, this.#at), start + 1);
      if (byte === type.pushPull) {
        const { nodes, userStateLen } = pushPullHeader.read(from);
        this.#values = nodes;
        this.#tail = userStateLen;
      } else this.#tail = byte === type.user ? userHeader.read(from).userMsgLen : 0;
      if (from.failed) return 'malformed';
    }
  }

  #arrived(): Bytes {
    return this.#buffer.subarray(0, this.#length);
  }

  #append(piece: Bytes): void {
    if (this.#length + piece.length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#length + piece.length, this.#buffer.length * 2));
      larger.set(this.#arrived());
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length += piece.length;
  }
}
