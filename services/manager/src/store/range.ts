const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface KeyRange {
  readonly start: Uint8Array;
  /** Exclusive. */
  readonly end: Uint8Array;
}

export function keyBytes(key: string): Uint8Array {
  return encoder.encode(key);
}

export function keyText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/**
 * All keys with the prefix, as a range of etcd: the end is the prefix with its last byte raised by one (UTF-8 has no byte
 * 0xff, so the last byte can always be raised). The range "\0" to "\0" means every key.
 */
export function prefixRange(prefix: string): KeyRange {
  if (prefix === '') return { start: Uint8Array.of(0), end: Uint8Array.of(0) };
  const start = keyBytes(prefix);
  const end = start.slice();
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return { start, end };
}

/** The smallest key greater than this one: the next page begins there. */
export function keyAfter(key: string): Uint8Array {
  return keyBytes(`${key}\0`);
}
