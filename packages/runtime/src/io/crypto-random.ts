import { randomFillSync } from 'node:crypto';
import type { Random } from '../random.ts';

/** Bytes are fetched so many at a time: each visit to the generator costs as much as some hundred of them. */
const poolSize = 4096;

const pool = new Uint8Array(poolSize);
let used = poolSize;

export const cryptoRandom: Random = {
  float: () => new DataView(take(4).buffer).getUint32(0) / 2 ** 32,
  bytes: take,
};

/** No byte is given twice. */
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
