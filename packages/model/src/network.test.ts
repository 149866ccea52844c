import { expect, test } from 'vitest';
import type { NetworkId } from './id.ts';
import { isDriver, networkNamespace, roomInside } from './network.ts';

test.each([
  ['overlay', true],
  ['encrypted-overlay', true],
  ['macvlan', false],
  ['', false],
  ['constructor', false],
])('this version knows the driver "%s": %s', (text, known) => expect(isDriver(text)).toBe(known));

test.each([
  ['overlay', 1500, 4, 1450],
  ['overlay', 1500, 6, 1430],
  // Measured between two hosts with ESP: one byte more and the outer packets are fragmented.
  ['encrypted-overlay', 1500, 4, 1416],
  ['encrypted-overlay', 1500, 6, 1396],
  ['encrypted-overlay', 1501, 4, 1416],
  ['encrypted-overlay', 1503, 4, 1416],
  ['encrypted-overlay', 1504, 4, 1420],
  ['encrypted-overlay', 9000, 4, 8916],
] as const)('%s in an underlay of %d bytes with IPv%d carries %d', (driver, mtu, family, room) => {
  expect(roomInside(driver, mtu, family)).toBe(room);
});

test('the namespace has the first ten digits of the id', () => {
  expect(networkNamespace('0123456789abcdef' as NetworkId)).toBe('cw-0123456789');
});
