import { createHash } from 'node:crypto';
import type { Bytes } from '../wire/bytes.ts';

/** SHA-256. */
export function hashOf(...parts: readonly Bytes[]): Bytes {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** 16 hex digits that name these bytes: no two batches that a manager signs, and no two table keys, share them by chance. */
export function nameOf(bytes: Bytes): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
