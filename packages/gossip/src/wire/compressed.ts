import type { Bytes } from './bytes.ts';
import { freeInflation, maxInflatedDatagram, maxInflatedStream, maxInflationRatio, maxStream } from './limits.ts';
import { deflate, inflate } from './lzw.ts';
import { encodeStruct } from './message.ts';
import { type } from './message-type.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import { type Decoded, decoded, refused } from './refusal.ts';
import { raw, struct, uint } from './struct.ts';

/** The only algorithm that memberlist has. */
const lzw = 0;
const compressedStruct = struct({ Algo: uint(0xff), Buf: raw(maxStream) });

/** The message as a compressed message. */
export function compress(message: Bytes): Bytes {
  return encodeStruct(type.compressed, compressedStruct, { algo: lzw, buf: deflate(message) });
}

/** The message inside a compressed message, which has at most `limit` bytes. */
export function decompress(bytes: Bytes, limit: number): Decoded<Bytes> {
  const from = new MsgpackReader(bytes, 1);
  const { algo, buf } = compressedStruct.read(from);
  if (from.failed || algo !== lzw) return refused('bad-compression');
  const message = inflate(buf, limit);
  return message === undefined ? refused('bad-compression') : decoded(message);
}

/** How long the message inside a compressed datagram may be. */
export const datagramInflation = maxInflatedDatagram;

/** How long the message inside a compressed stream message of this length may be. */
export function streamInflation(length: number): number {
  return Math.min(maxInflatedStream, Math.max(freeInflation, length * maxInflationRatio));
}
