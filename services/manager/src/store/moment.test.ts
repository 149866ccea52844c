import { expect, test } from 'vitest';
import { earliest, latest, never } from './moment.ts';

const old = { revision: 7n };
const quiet = { revision: 7n, time: 5_000 };
const newer = { revision: 7n, time: 9_000 };
const next = { revision: 8n, time: 9_500 };

test('the store’s revision decides, then the time of day; an unknown time is the oldest', () => {
  expect(latest(quiet, next, newer, old)).toBe(next);
  expect(latest(newer, quiet, old)).toBe(newer);
  expect(latest(old, quiet)).toBe(quiet);
  expect(earliest([next, newer, quiet])).toBe(quiet);
  expect(earliest([quiet, old, next])).toBe(old);
});

test('of nothing, nothing is known', () => {
  expect(latest()).toEqual(never);
  expect(earliest([])).toEqual(never);
  expect(latest(never, { revision: 3n })).toEqual({ revision: 3n });
});
