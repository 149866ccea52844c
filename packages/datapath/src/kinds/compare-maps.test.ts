import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareMaps, compareOnLinks } from './compare-maps.ts';

const values = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat({ max: 2 }))
  .map((each) => new Map(Object.entries(each)));
const sorted = (of: readonly unknown[]): readonly string[] => of.map((each) => JSON.stringify(each)).sort();

it('the entries in which two maps differ are those whose values differ, key by key', () => {
  fc.assert(
    fc.property(values, values, (found, desired) => {
      const expected = ['a', 'b', 'c', 'd']
        .map((key) => ({ key, actual: found.get(key), desired: desired.get(key) }))
        .filter(({ actual, desired: wanted }) => actual !== wanted);
      expect(sorted([...compareMaps(found, desired)])).toEqual(sorted(expected));
    }),
  );
});

it('values are compared as the caller says', () => {
  const [found, desired] = [new Map([['a', 1]]), new Map([['a', 3]])];
  expect([...compareMaps(found, desired, (a, b) => a % 2 === b % 2)]).toEqual([]);
  const onLinks = [new Map([['eth0', found]]), new Map([['eth0', desired]])] as const;
  expect([...compareOnLinks(...onLinks, (a, b) => a % 2 === b % 2)]).toEqual([]);
  expect([...compareOnLinks(...onLinks)]).toEqual([{ key: { dev: 'eth0', key: 'a' }, actual: 1, desired: 3 }]);
});

it('maps that are absent are empty', () => {
  expect([...compareMaps(), ...compareOnLinks()]).toEqual([]);
  expect([...compareOnLinks(undefined, new Map([['eth0', new Map([['a', 1]])]]))]).toHaveLength(1);
  expect([...compareOnLinks(new Map([['eth0', new Map([['a', 1]])]]))]).toHaveLength(1);
});

describe('a comparison pauses after every 256 entries', () => {
  const of = (count: number): Map<number, number> => new Map(Array.from({ length: count }, (_, n) => [n, n]));
  it.each([
    [255, 0, 0],
    [256, 0, 1],
    [512, 0, 2],
    [0, 255, 0],
    [0, 256, 1],
    [200, 56, 1],
    [256, 256, 2],
  ])('%i found and %i desired: %i times', (found, desired, pauses) => {
    expect([...compareMaps(of(found), of(desired))].filter((each) => each === undefined)).toHaveLength(pauses);
  });
});
