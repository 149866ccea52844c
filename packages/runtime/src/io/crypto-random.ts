import { randomBytes } from 'node:crypto';
import type { Random } from '../random.ts';

export const cryptoRandom: Random = {
  float: () => randomBytes(4).readUInt32LE() / 2 ** 32,
  bytes: (count) => new Uint8Array(randomBytes(count)),
};
