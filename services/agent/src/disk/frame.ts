import { CausewayError, fail, ok, type Result } from '@causeway/model';

/**
 * The frame around every file of the ledger, so that a torn or damaged file is never taken for a whole one:
 *
 *     causeway-ledger 1 <kind> <sequence> <payload bytes> <CRC-32 of kind, sequence and payload, hex>\n<payload>
 *
 * Bytes after the payload are the end of a longer frame that was there before. They are ignored.
 */
const magic = 'causeway-ledger';
const version = 1;
const longestHeader = 128;

export interface Frame {
  /** Type of the payload: "identity", "sandboxes", "network". */
  readonly kind: string;
  /** The copy with the greater number is newer. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export function encodeFrame({ kind, sequence, payload }: Frame): Uint8Array {
  const frame = new FrameDraft({ kind, sequence });
  frame.add(payload);
  return frame.finish();
}

/** A frame whose payload is added in parts, so that the work is spread over time. */
export class FrameDraft {
  readonly #kind: string;
  readonly #sequence: number;
  readonly #parts: Uint8Array[] = [];
  #length = 0;
  #crc: number;

  constructor({ kind, sequence }: Omit<Frame, 'payload'>) {
    this.#kind = kind;
    this.#sequence = sequence;
    this.#crc = begun(kind, sequence);
  }

  add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
    this.#crc = crc32(this.#crc, part);
  }

  finish(): Uint8Array {
    const sum = ended(this.#crc);
    const header = `${magic} ${version} ${this.#kind} ${this.#sequence} ${this.#length} ${sum}\n`;
    const head = new TextEncoder().encode(header);
    const bytes = new Uint8Array(head.length + this.#length);
    let at = 0;
    for (const part of [head, ...this.#parts]) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }
}

/** The error says what is wrong with the bytes: "data-damaged", or "data-too-new" when the header names a later format. */
export function decodeFrame(bytes: Uint8Array): Result<Frame, CausewayError> {
  const end = bytes.subarray(0, longestHeader).indexOf(0x0a);
  if (end < 0) return damaged('no header line');
  const fields = new TextDecoder().decode(bytes.subarray(0, end)).split(' ');
  const [word, format, kind, sequence, length, sum] = fields;
  if (word !== magic) return damaged('not a file of the ledger');
  if (format !== String(version)) return otherFormat(format);
  if (kind === undefined || fields.length !== 6) return damaged('not a file of the ledger');
  const start = end + 1;
  const frame = { kind, sequence: Number(sequence), payload: bytes.subarray(start, start + Number(length)) };
  if (frame.payload.length !== Number(length)) return damaged(`${frame.payload.length} bytes of ${length}`);
  return checksum(frame) === sum ? ok(frame) : damaged('checksum differs');
}

function damaged(message: string): Result<never, CausewayError> {
  return fail(new CausewayError('data-damaged', message));
}

/** Does not look at the rest of the header: a later format may have another header. */
function otherFormat(format = ''): Result<never, CausewayError> {
  if (!/^[1-9][0-9]{0,3}$/.test(format)) return damaged('not a file of the ledger');
  return fail(new CausewayError('data-too-new', `written in format ${format}, this agent reads ${version}`));
}

function checksum({ kind, sequence, payload }: Frame): string {
  return ended(crc32(begun(kind, sequence), payload));
}

function begun(kind: string, sequence: number): number {
  return crc32(0xffffffff, new TextEncoder().encode(`${kind} ${sequence}\n`));
}

function ended(crc: number): string {
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
}

/**
 * CRC-32 as in IEEE 802.3 (reflected, polynomial 0xedb88320), without the final complement. Takes four bytes at a time
 * ("slicing"): an attach writes the records of all containers.
 */
function crc32(seed: number, bytes: Uint8Array): number {
  let crc = seed;
  const whole = bytes.length & ~3;
  const [t0, t1, t2, t3] = tables;
  for (let i = 0; i < whole; i += 4) {
    crc ^= at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    crc = at(t3, crc & 255) ^ at(t2, (crc >>> 8) & 255) ^ at(t1, (crc >>> 16) & 255) ^ at(t0, crc >>> 24);
  }
  for (let i = whole; i < bytes.length; i++) crc = at(t0, (crc ^ at(bytes, i)) & 255) ^ (crc >>> 8);
  return crc;
}

function at(of: Uint8Array | Int32Array, place: number): number {
  return of[place] ?? 0;
}

/** The CRC of each byte, and of each byte with one, two and three zero bytes after it. */
const tables = madeTables();

function madeTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    return rest;
  });
  const after = (table: Int32Array): Int32Array => table.map((crc) => at(first, crc & 255) ^ (crc >>> 8));
  const second = after(first);
  const third = after(second);
  return [first, second, third, after(third)];
}
