import { describe, expect, test } from 'vitest';
import { bytesOf, hex } from '../testing/hex.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { type Coordinate, decodeCoordinate, distance, encodeCoordinate, Locator, origin } from './coordinate.ts';

/** The payload of the first ack of an agent of serf 0.10.1. */
const first = `0184aa41646a7573746d656e74cb0000000000000000a54572726f72cb3ff8000000000000a6486569676874cb3ee4f8b588e368f1a356656398${'cb0000000000000000'.repeat(8)}`;
/** A later one. */
const later =
  '0184aa41646a7573746d656e74cb3ee1cbb492d1fbcca54572726f72cb3ff6e6e594311782a6486569676874cb3ee4f8b588e368f1a356656398cbbef83a395d4f7497cbbef0eb99cdae313dcb3ef62b9bbbe7766bcbbeeae1f01113a195cb3ef3c066e6c4b605cbbecaab9e099b3d83cb3ee4c01877997967cb3ef70a5ed60092e0';

test('the payload of an ack of serf is read, and written as serf wrote it', () => {
  expect(decodeCoordinate(bytesOf(first))).toEqual(origin);
  for (const digits of [first, later]) {
    expect(hex(encodeCoordinate(decodeCoordinate(bytesOf(digits)) ?? origin))).toBe(digits);
  }
});

test.each<[string, string]>([
  ['nothing', ''],
  ['another version', `02${first.slice(2)}`],
  ['a coordinate that is cut off', first.slice(0, 60)],
  ['another number of dimensions', '0181a356656391cb0000000000000000'],
  ['a number that is none', first.replace('cb3ff8000000000000', 'cb7ff8000000000000')],
])('%s is not used', (_, digits) => {
  expect(decodeCoordinate(bytesOf(digits))).toBeUndefined();
});

/** Nodes that probe each other in turn; `roundTrip` in seconds. */
function settledNodes(count: number, rounds: number, roundTrip: (a: number, b: number) => number): Locator[] {
  const random = new SeededRandom(1);
  const nodes = Array.from({ length: count }, () => new Locator(random));
  for (let round = 0; round < rounds; round++) {
    for (const [i, node] of nodes.entries()) {
      const j = (i + 1 + (round % (count - 1))) % count;
      node.observe(`n${j}`, nodes[j]?.coordinate ?? origin, roundTrip(i, j));
    }
  }
  return nodes;
}

describe('coordinates', () => {
  test('of two nodes come to tell their round trip', () => {
    const [a, b] = settledNodes(2, 200, () => 0.02) as [Locator, Locator];
    expect(distance(a.coordinate, b.coordinate)).toBeCloseTo(0.02, 3);
    expect(a.coordinate.error).toBeLessThan(0.2);
  });

  test('of nodes in two places tell which are near', () => {
    const nodes = settledNodes(6, 600, (a, b) => (a % 2 === b % 2 ? 0.001 : 0.05));
    const at = (i: number): Coordinate => nodes[i]?.coordinate ?? origin;
    expect(distance(at(0), at(2))).toBeLessThan(0.01);
    expect(distance(at(0), at(1))).toBeGreaterThan(0.03);
  });

  test('are not moved by one late packet, nor by times that cannot be', () => {
    const [a, b] = settledNodes(2, 200, () => 0.02) as [Locator, Locator];
    const before = a.coordinate;
    a.observe('n1', b.coordinate, 9);
    expect(distance(a.coordinate, b.coordinate)).toBeCloseTo(0.02, 3);
    const after = a.coordinate;
    for (const seconds of [-1, 11, Number.NaN]) a.observe('n1', b.coordinate, seconds);
    expect(a.coordinate).toBe(after);
    expect(before).not.toBe(after);
  });
});
