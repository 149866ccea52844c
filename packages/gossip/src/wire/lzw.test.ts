import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hex } from '../testing/hex.ts';
import { deflate, inflate } from './lzw.ts';

/** Few symbols make long strings; many make a table that is often full. */
const input = fc.oneof(
  fc.uint8Array({ maxLength: 20_000 }),
  fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 20_000 }).map((all) => Uint8Array.from(all)),
  fc
    .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat(2000))
    .map(([unit, times]) => Uint8Array.from({ length: unit.length * times }, (_, i) => unit[i % unit.length] ?? 0)),
);

test('what was compressed expands to itself', () => {
  fc.assert(
    fc.property(input, (bytes) => {
      expect(hex(inflate(deflate(bytes), bytes.length) ?? new Uint8Array([1]))).toBe(hex(bytes));
    }),
    { numRuns: 60 },
  );
});

test('the output never exceeds the limit', () => {
  fc.assert(
    fc.property(input, fc.nat(5000), (bytes, limit) => {
      const output = inflate(deflate(bytes), limit);
      expect(output?.length ?? 'refused').toBe(bytes.length <= limit ? bytes.length : 'refused');
    }),
    { numRuns: 60 },
  );
});

test('any bytes expand to at most the limit, or to nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      expect(inflate(bytes, 1000)?.length ?? 0).toBeLessThanOrEqual(1000);
    }),
    { numRuns: 2000 },
  );
});

test('a bomb is refused: 1,400 bytes that expand to more than 64 KiB', () => {
  const bomb = deflate(new Uint8Array(600_000));
  expect(bomb.length).toBeLessThan(1500);
  expect(inflate(bomb, 64 * 1024)).toBeUndefined();
});

/** The same numbers as in the Go program that made the digests. */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

const waves = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => ((i * i) >> 7) & 3);

// SHA-256 of what compress/lzw of Go 1.24 writes, the first 8 digits. The table is full for the first time near 3,838 bytes.
test.each([
  [0, 'ca175b7b', 'ca175b7b'],
  [1, 'f91c5c4e', '1429eeb1'],
  [255, '827d5fbc', '12863e22'],
  [256, 'be073267', '4b1a68ba'],
  [257, '33e22437', 'c2c300d9'],
  [3837, '18f75359', 'f93e7f5a'],
  [3838, 'c7ab4c95', '306bb5a5'],
  [3839, '7cd2a664', '64318d4b'],
  [3840, '6ec431ae', 'f21ee900'],
  [4094, '5af90e89', 'cda61f95'],
  [4096, '5df70935', '76d73003'],
  [5000, '21103c01', 'f3ea1a39'],
  [20_000, 'ba111986', '96c806d7'],
  [100_000, 'b6c100a3', 'b2595f8e'],
])('%i bytes are compressed to the bytes that Go writes', (length, ofNoise, ofWaves) => {
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(deflate(bytes)).digest('hex').slice(0, 8);
  expect([digest(noise(length)), digest(waves(length))]).toEqual([ofNoise, ofWaves]);
});
