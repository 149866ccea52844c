import { type Bytes, Reader, Writer } from './bytes.ts';

/** First byte of each frame. Messages of serf begin with 0 to 11, so neither is taken for the other. */
const magic = 0xc5;
const version = 1;

/**
 * What frames carry. The replay window guards the requests whose answers may be large: `graft`, `pull`, `compare`, `keyWanted`. Rows
 * and keys prove themselves by signatures, answers by the number of the request; digests and vectors have small answers.
 */
export const kinds = {
  challenge: 1,
  hello: 2,
  batch: 3,
  ack: 4,
  ihave: 5,
  graft: 6,
  digest: 7,
  vector: 8,
  pull: 9,
  batches: 10,
  floor: 11,
  compare: 12,
  state: 13,
  keyWanted: 14,
  key: 15,
} as const;

export type Kind = keyof typeof kinds;

const kindOf = new Map(Object.entries(kinds).map(([kind, number]) => [number as number, kind as Kind]));

/** `C5 | version 1 | kind | 0 | boot u64 | counter u64 | body`. */
export interface Frame {
  readonly kind: Kind;
  /** Random, one for each start of a process. */
  readonly boot: bigint;
  /** Counts the frames of the boot. */
  readonly counter: bigint;
  readonly body: Bytes;
}

export const frameHeader = 20;

export function encodeFrame({ kind, boot, counter, body }: Frame): Bytes {
  const writer = new Writer().u8(magic).u8(version).u8(kinds[kind]).u8(0);
  return writer.u64(boot).u64(counter).raw(body).done();
}

/** Whether a user message of memberlist is for this layer. */
export function isFrame(bytes: Bytes): boolean {
  return bytes[0] === magic;
}

/** Undefined: it is not a frame of this version. The last byte of the head has no meaning yet, so any value is accepted. */
export function decodeFrame(bytes: Bytes): Frame | undefined {
  const reader = new Reader(bytes);
  if (reader.u8() !== magic || reader.u8() !== version) return undefined;
  const kind = kindOf.get(reader.u8());
  reader.u8();
  const frame = { boot: reader.u64(), counter: reader.u64(), body: reader.raw(reader.left) };
  return kind === undefined || !reader.isOk ? undefined : { kind, ...frame };
}
