import { type ErrorCode, Ip, type Name, type NodeId, Prefix } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { useOf } from '../ipam/usage.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { refusal } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { registerNode } from './register-node.ts';
import { releaseEndpoint } from './release-endpoint.ts';
import { releaseAddress, reserveAddress } from './reservations.ts';

const host = scriptNode(1);
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(1));
  desk.make(registerNode(host));
  desk.make(createNetwork(plainNetwork('blue' as Name, [Prefix('10.66.0.0/29'), Prefix('fd66::/64')])));
});

const attach = (name: string, addresses: readonly Ip[] = [], node: NodeId = host.id) =>
  desk.make(claimEndpoint({ network: 'blue', node, addresses, name: name as Name }));
const reserve = (address: string, purpose = 'printer') =>
  desk.make(reserveAddress({ network: 'blue', purpose, ...(address === '' ? {} : { address: Ip(address) }) }));
const release = (address: string): void => desk.make(releaseAddress({ network: 'blue', address: Ip(address) }));

describe('a reserved address', () => {
  test('is given to no endpoint, and can be released', () => {
    expect(reserve('10.66.0.2')).toEqual({ address: '10.66.0.2', purpose: 'printer' });
    expect(attach('a').addresses[0]).toBe('10.66.0.3/29');
    for (const attempt of [() => attach('b', [Ip('10.66.0.2')]), () => reserve('10.66.0.2')])
      expect(refusal(attempt)).toMatchObject({
        code: 'address-in-use',
        message: expect.stringContaining('10.66.0.2 is reserved for printer'),
      });
    release('10.66.0.2');
    expect(attach('b', [Ip('10.66.0.2')]).addresses[0]).toBe('10.66.0.2/29');
  });

  test('is the next free address when no address is named, and delays no other call', () => {
    attach('a');
    expect(reserve('')).toEqual({ address: '10.66.0.3', purpose: 'printer' });
    expect(attach('b').addresses[0]).toBe('10.66.0.4/29');
  });

  test('counts in what a full network says', () => {
    for (const address of ['10.66.0.2', '10.66.0.3']) reserve(address);
    for (const name of ['a', 'b', 'c']) attach(name);
    expect(refusal(() => attach('d')).message).toContain('3 of 5 in use, 2 reserved, 0 cooling in 10.66.0.0/29');
  });

  test.each<[string, () => unknown, ErrorCode, RegExp]>([
    ['outside', () => reserve('10.67.0.1'), 'address-outside', /10\.66\.0\.0\/29, fd66::\/64/],
    ['the gateway', () => reserve('10.66.0.1'), 'address-reserved', /the gateway of 10\.66\.0\.0\/29/],
    ['the network address', () => reserve('10.66.0.0'), 'address-reserved', /network address/],
    ['for nothing', () => reserve('10.66.0.2', ' '), 'invalid-argument', /purpose is empty/],
    ['for too much', () => reserve('10.66.0.2', 'x'.repeat(129)), 'invalid-argument', /at most 128/],
    ['letting go what is not reserved', () => release('10.66.0.2'), 'reservation-unknown', /not reserved/],
    ['letting the gateway go', () => release('10.66.0.1'), 'reservation-unknown', /not reserved/],
  ])('refused: %s', (_name, attempt, code, says) => {
    expect(refusal(attempt)).toMatchObject({ code, message: expect.stringMatching(says) });
  });

  test('refused: what an endpoint has, or had', () => {
    const { id } = attach('a');
    expect(refusal(() => reserve('10.66.0.2'))).toMatchObject({ code: 'address-in-use' });
    expect(refusal(() => release('10.66.0.2')).message).toMatch(/in use by endpoint "a": detach/);
    desk.make(releaseEndpoint({ endpoint: id, node: host.id, reason: 'asked' }));
    expect(refusal(() => reserve('10.66.0.2')).message).toMatch(/cooling/);
  });
});

test('what has the addresses of each subnet', () => {
  const { id } = attach('a');
  attach('b');
  desk.make(releaseEndpoint({ endpoint: id, node: host.id, reason: 'asked' }));
  reserve('10.66.0.6');
  const network = desk.view.findNetwork('blue').value;
  const [four, six] = useOf(network, desk.view);
  expect(four).toMatchObject({ used: 1n, reserved: 2n, cooling: 1n, free: 2n });
  expect(four?.usedByHost).toEqual(new Map([[host.id, 1]]));
  expect(four?.reservations).toMatchObject([{ address: '10.66.0.6', purpose: 'printer' }]);
  expect(six).toMatchObject({ used: 1n, reserved: 1n, cooling: 1n, free: (1n << 64n) - 4n });
});

test('what is left to be given automatically is what lies in the ranges', () => {
  const subnet = { prefix: Prefix('10.70.0.0/24'), ranges: [Prefix('10.70.0.0/30')] };
  desk.make(createNetwork(plainNetwork('ranged', [], { subnets: [subnet] })));
  const uses = () => useOf(desk.view.findNetwork('ranged').value, desk.view)[0];
  expect(uses()).toMatchObject({ free: 253n, automatic: 2n });
  desk.make(reserveAddress({ network: 'ranged', address: Ip('10.70.0.2'), purpose: 'printer' }));
  desk.make(reserveAddress({ network: 'ranged', address: Ip('10.70.0.9'), purpose: 'printer' }));
  expect(uses()).toMatchObject({ free: 251n, automatic: 1n });
});
