import { expect, test } from 'vitest';
import { fuzz } from '../testing/fuzz.ts';
import { SeededRandom } from '../testing/seeded-random.ts';

test('no decoder and no node throws, hangs or exceeds its caps on a million inputs', () => {
  const random = new SeededRandom(Number(process.env['CAUSEWAY_SEED'] ?? '1'));
  const { inputs, accepted, refused, largestHeap } = fuzz(170_000, () => random.float());
  expect(inputs).toBeGreaterThan(1_000_000);
  expect(Math.min(accepted, refused)).toBeGreaterThan(20_000);
  expect(largestHeap >> 20).toBeLessThan(512);
}, 600_000);
