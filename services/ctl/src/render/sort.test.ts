import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../answer.ts';
import { sorted } from './sort.ts';

function listOf(items: readonly { name: string; size?: unknown; deep?: { n: bigint } }[]): Answer {
  const rows = items.map(({ name }) => [name]);
  return {
    value: items,
    names: items.map(({ name }) => name),
    table: { kind: 'grid', columns: [{ title: 'NAME' }], rows },
  };
}

const items = [
  { name: 'b', size: 9, deep: { n: 10n } },
  { name: 'a', size: 10, deep: { n: 9n } },
  { name: 'c', size: null, deep: { n: 2n } },
];

describe('a list in the order of a field', () => {
  test.each([
    ['name', 'abc'],
    ['-name', 'cba'],
    ['size', 'bac'],
    ['-size', 'abc'],
    ['deep.n', 'cab'],
    [undefined, 'bac'],
  ])('%s', (by, order) => {
    const answer = sorted(listOf(items), by);
    expect(answer.names.join('')).toBe(order);
    expect((answer.value as typeof items).map(({ name }) => name).join('')).toBe(order);
    expect(answer.table).toMatchObject({ rows: [...order].map((name) => [name]) });
  });

  test('keeps those that are equal in theirs', () => {
    const item = fc.record({ name: fc.string(), size: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(fc.array(item), (list) => {
        const once = sorted(listOf(list), 'size');
        const expected = [0, 1, 2, 3].flatMap((size) => list.filter((each) => each.size === size));
        expect(once.value).toEqual(expected);
      }),
    );
  });

  test('by a field that there is not is refused, with those that there are', () => {
    expect(() => sorted(listOf(items), 'sise')).toThrow(/--sort-by: there is no field "sise".*name, size, deep/);
    expect(sorted(listOf([]), 'sise').names).toEqual([]);
  });
});
