import { randomFillSync } from 'node:crypto';
import type { Random } from '../random.ts';

/** Number of bytes that are fetched at once: a call of the generator costs as much as several hundred bytes. */
const poolSize = 4096;

const pool = new Uint8Array(poolSize);
let used = poolSize;

export const cryptoRandom: Random = {
  float: () => new DataView(take(4).buffer).getUint32(0) / 2 ** 32,
  bytes: take,
};

/** No byte is returned twice. */
function take(count: number): Uint8Array {
  if (count > poolSize) return randomFillSync(new Uint8Array(count));
  if (used + count > poolSize) {
    randomFillSync(pool);
    used = 0;
  }
  used += count;
  const taken = pool.slice(used - count, used);
  pool.fill(0, used - count, used);
  return taken;
}
