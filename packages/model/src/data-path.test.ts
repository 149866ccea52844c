import { expect, test } from 'vitest';
import { whyNoDataPath } from './data-path.ts';
import { Ip } from './ip.ts';

test.each([
  ['192.0.2.1', undefined],
  ['0.255.255.255', 'unspecified'],
  ['1.0.0.0', undefined],
  ['126.255.255.255', undefined],
  ['127.0.0.1', 'loopback'],
  ['128.0.0.0', undefined],
  ['223.255.255.255', undefined],
  ['224.0.0.0', 'multicast or reserved'],
  ['255.255.255.255', 'multicast or reserved'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::2', undefined],
  ['fe80::1', 'link-local'],
  ['fec0::1', undefined],
  ['ff02::1', 'multicast'],
  ['fd66::1', undefined],
])('%s: %s', (ip, why) => {
  expect(whyNoDataPath(Ip(ip))).toBe(why);
});
