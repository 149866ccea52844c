/**
 * A probe on the wire, the content of a UDP packet:
 *
 *   0  magic "CWP1"
 *   4  1: a request, 2: an answer
 *   5  zeros
 *   8  session: 8 random bytes of the process that asked
 *  16  number of the request
 *  20  milliseconds until the sender of the request asks again
 *  24  zeros up to the size of the probe
 *
 * An answer is the request with another byte at 4, so it is as large as the request. Only a host that has seen the request
 * knows session and number.
 */
export interface Probe {
  readonly kind: 'request' | 'answer';
  readonly session: bigint;
  readonly number: number;
  /** Milliseconds. */
  readonly interval: number;
}

/** Bytes. */
export const smallestProbe = 24;
/** "CWP1" */
const magic = 0x43575031;
const kinds = { request: 1, answer: 2 } as const;
const kindAt = 4;

/** `size`: bytes of the UDP content. */
export function encodeProbe({ kind, session, number, interval }: Probe, size: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(size, smallestProbe));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic);
  bytes[kindAt] = kinds[kind];
  view.setBigUint64(8, session);
  view.setUint32(16, number);
  view.setUint32(20, interval);
  return bytes;
}

/** undefined: this is no probe. */
export function decodeProbe(bytes: Uint8Array): Probe | undefined {
  if (bytes.length < smallestProbe) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== magic) return undefined;
  const code = bytes[kindAt];
  if (code !== kinds.request && code !== kinds.answer) return undefined;
  const kind = code === kinds.request ? 'request' : 'answer';
  return { kind, session: view.getBigUint64(8), number: view.getUint32(16), interval: view.getUint32(20) };
}

/** The answer to a request. */
export function answerTo(request: Uint8Array): Uint8Array {
  const bytes = request.slice();
  bytes[kindAt] = kinds.answer;
  return bytes;
}
