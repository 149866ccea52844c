import { describe, expect, test } from 'vitest';
import { parseAdvertised, parseDataPath, whyNoDataPath } from './data-path.ts';
import type { CausewayError } from './error.ts';
import { Ip } from './ip.ts';
import type { Result } from './result.ts';

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

test('a data path is an address that other hosts can send to', () => {
  expect(parseDataPath('fd00:0::1', '--data-path')).toEqual({ ok: true, value: 'fd00::1' });
  expect(outcome(parseDataPath('eth0', '--data-path'))).toBe(
    '--data-path: "eth0" is not an IPv4 or IPv6 address of this host, such as 10.0.0.1',
  );
  expect(outcome(parseDataPath('127.0.0.1', '--data-path'))).toMatch(
    /^--data-path: "127\.0\.0\.1" is not an address that other hosts can send to \(loopback\)/,
  );
});

describe('where a host behind a NAT is reached', () => {
  test.each([
    ['203.0.113.7', '10.0.0.1', { address: '203.0.113.7' }],
    ['203.0.113.7:14500', '10.0.0.1', { address: '203.0.113.7', port: 14_500 }],
    ['2001:db8::7', 'fd00::1', { address: '2001:db8::7' }],
    ['[2001:db8::7]', 'fd00::1', { address: '2001:db8::7' }],
    ['[2001:db8::7]:14500', 'fd00::1', { address: '2001:db8::7', port: 14_500 }],
    ['nat', '10.0.0.1', '--advertise: "nat" is not an IPv4 or IPv6 address'],
    ['203.0.113.7:0', '10.0.0.1', '--advertise: "0" is not a port from 1 to 65535'],
    ['203.0.113.7:70000', '10.0.0.1', '--advertise: "70000" is not a port from 1 to 65535'],
    ['203.0.113.7:', '10.0.0.1', '--advertise: "203.0.113.7:" is not an IPv4 or IPv6 address'],
    ['::1', 'fd00::1', '--advertise: "::1" is not an address that other hosts can send to (loopback)'],
    ['2001:db8::7', '10.0.0.1', 'is not an address of the same family as --data-path 10.0.0.1'],
  ])('%s, with the data path %s', (text, dataPath, expected) => {
    const read = parseAdvertised(text, Ip(dataPath), '--advertise');
    if (typeof expected === 'string') expect(outcome(read)).toContain(expected);
    else expect(read).toEqual({ ok: true, value: expected });
  });
});

function outcome(result: Result<unknown, CausewayError>): string {
  return result.ok ? 'accepted' : result.error.message;
}
