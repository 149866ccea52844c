import { type Bytes, putUint32 } from '../wire/bytes.ts';
import { viewLength } from '../wire/limits.ts';
import { mixed } from './ring.ts';

/** What a view says of a node. */
interface Seen {
  readonly hash: number;
  readonly incarnation: number;
}

/**
 * 8 bytes that are equal if two nodes see the same live nodes with the same incarnations, in whatever order they know them.
 * Pings and acks carry it; memberlist in Go skips fields that it does not know.
 */
export function viewOf(live: readonly Seen[]): Bytes {
  let low = 0;
  let high = 0;
  for (const { hash, incarnation } of live) {
    const seen = mixed(hash ^ mixed(incarnation));
    low = (low + seen) >>> 0;
    high = (high + mixed(seen ^ 0x9e_37_79_b9)) >>> 0;
  }
  const view = new Uint8Array(viewLength);
  putUint32(view, 0, high);
  putUint32(view, 4, low);
  return view;
}
