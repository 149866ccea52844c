import { expect, test } from 'vitest';
import { percentFor } from './heap.ts';

const mebibyte = 1024 * 1024;

test.each([
  ['a small heap by 128 MiB', 32, 400],
  ['a heap of 256 MiB by half', 256, 50],
  ['a large heap by half', 2_000, 50],
])('%s', (_what, used, percent) => {
  expect(percentFor(used * mebibyte)).toBe(percent);
});
