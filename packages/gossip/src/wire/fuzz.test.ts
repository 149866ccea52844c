import { expect, test } from 'vitest';
import { fuzz } from '../testing/fuzz.ts';
import { SeededRandom } from '../testing/seeded-random.ts';

test('no decoder and no node throws, hangs or exceeds its caps', () => {
  const random = new SeededRandom(Number(process.env['CAUSEWAY_SEED'] ?? '1'));
  const { accepted, refused } = fuzz(20_000, () => random.float());
  expect(Math.min(accepted, refused)).toBeGreaterThan(2_000);
});
