import { Ip, type Network, Prefix, type Subnet } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { createKeys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import { scriptNetwork } from '../testing/view-script.ts';
import { addressClaims, claimsMacs } from './network-claims.ts';

const keys = createKeys();
const { id } = scriptNetwork(7);
const four: Subnet = { prefix: Prefix('10.7.0.0/24') };
const six: Subnet = { prefix: Prefix('fd07::/64') };
const networkOf = (...subnets: readonly Subnet[]): Network => ({ ...scriptNetwork(7), subnets });

const held = (subnets: readonly Subnet[]): string[] =>
  addressClaims(networkOf(...subnets), subnets, keys).map(({ key, value }) => {
    const decoded = records.address.codec.decode(value);
    return `${key.slice(key.lastIndexOf('/') + 1)} ${decoded.ok ? decoded.value.value.kind : 'damaged'}`;
  });

describe('the addresses that a network claims for itself', () => {
  test.each<[string, readonly Subnet[], readonly string[]]>([
    ['none without gateways', [four, six], []],
    ['an IPv4 gateway', [{ ...four, gateway: Ip('10.7.0.1') }], ['10.7.0.1 gateway']],
    [
      'an IPv6 gateway, with its Ethernet address',
      [{ ...six, gateway: Ip('fd07::1') }],
      ['fd07::1 gateway', '02:43:00:00:00:01 gateway'],
    ],
    [
      'two gateways with one Ethernet address, which is claimed once',
      [
        { ...six, gateway: Ip('fd07::1') },
        { prefix: Prefix('fd08::/64'), gateway: Ip('fd08::1') },
      ],
      ['fd07::1 gateway', 'fd08::1 gateway', '02:43:00:00:00:01 gateway'],
    ],
    ['auxiliary addresses', [{ ...four, auxAddresses: { dns: Ip('10.7.0.53') } }], ['10.7.0.53 aux']],
  ])('%s', (_, subnets, expected) => expect(held(subnets)).toEqual(expected));
});

test.each<[string, readonly Subnet[], boolean]>([
  ['IPv4 alone', [four], false],
  ['both families', [four, six], false],
  ['IPv6 alone', [six], true],
])('endpoints claim their Ethernet addresses: %s', (_, subnets, claimed) => {
  expect(claimsMacs(networkOf(...subnets))).toBe(claimed);
});

test('keys of two networks differ', () => {
  const subnets = [{ ...four, gateway: Ip('10.7.0.1') }];
  const [claim] = addressClaims(networkOf(...subnets), subnets, keys);
  expect(claim?.key).toContain(id);
});
