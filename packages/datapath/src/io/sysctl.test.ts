import { expect, it } from 'vitest';
import { sysctlPath } from './sysctl.ts';

it.each([
  ['net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward'],
  ['net.ipv6.conf.eth0/7.accept_ra', '/proc/sys/net/ipv6/conf/eth0.7/accept_ra'],
])('%s is %s', (key, path) => {
  expect(sysctlPath(key)).toBe(path);
});

it.each(['kernel.hostname', 'net', 'net..x', 'net.//.kernel.hostname', 'net./.x', ''])('"%s" is refused', (key) => {
  expect(() => sysctlPath(key)).toThrow('not a sysctl of a network namespace');
});
