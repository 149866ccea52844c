import { expect, test } from 'vitest';
import { percentFor } from './heap.ts';

const mebibyte = 1024 * 1024;

test.each([
  ['a small heap by 64 MiB', 32, 200],
  ['a heap of 256 MiB by a quarter', 256, 25],
  ['a large heap by a quarter', 2_000, 25],
])('%s', (_what, used, percent) => {
  expect(percentFor(used * mebibyte)).toBe(percent);
});
