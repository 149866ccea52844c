import { Prefix } from '@causeway/model';
import { expect, it } from 'vitest';
import { isReported } from './routes.ts';

it.each<[string, boolean]>([
  ['10.0.0.0/8', true],
  ['192.0.2.0/24', true],
  ['2001:db8::/32', true],
  ['fd66::/64', true],
  ['169.253.0.0/16', true],
  ['0.0.0.0/0', false],
  ['::/0', false],
  ['169.254.0.0/16', false],
  ['169.254.7.0/24', false],
  ['fe80::/64', false],
  ['febf::/16', false],
  ['fec0::/10', true],
  ['ff02::/16', false],
])('whether the host reports its route to %s: %s', (destination, expected) => {
  expect(isReported(Prefix(destination))).toBe(expected);
});
