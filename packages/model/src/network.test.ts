import { expect, test } from 'vitest';
import type { NetworkId } from './id.ts';
import { isDriver, networkNamespace } from './network.ts';

test.each([
  ['overlay', true],
  ['macvlan', false],
  ['', false],
  ['constructor', false],
])('this version knows the driver "%s": %s', (text, known) => expect(isDriver(text)).toBe(known));

test('the namespace has the first ten digits of the id', () => {
  expect(networkNamespace('0123456789abcdef' as NetworkId)).toBe('cw-0123456789');
});
