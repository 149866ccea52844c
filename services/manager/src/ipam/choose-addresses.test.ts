import { Ip, type Name, type NodeId } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import { registerNode } from '../plan/register-node.ts';
import { releaseEndpoint } from '../plan/release-endpoint.ts';
import { reserveAddress } from '../plan/reservations.ts';
import type { Claim } from '../store/records/claim.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { refusal } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { chooseAddresses, describeHolder, mayReturn } from './choose-addresses.ts';

const host = scriptNode(1);
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  desk.make(registerNode(host));
});

const network = (name: string, subnets: readonly string[], over = {}) =>
  desk.make(createNetwork(plainNetwork(name, subnets, over)));
const attach = (of: string, name: string, addresses: readonly string[] = []) =>
  desk.make(claimEndpoint({ network: of, name: name as Name, node: host.id, addresses: addresses.map(Ip) }));
const release = (name: string): void => {
  const { id } = desk.view.findEndpoint(name).value;
  desk.make(releaseEndpoint({ endpoint: id, node: host.id, reason: 'asked' }));
};
const choose = (of: string, name: string, asked: readonly string[] = []): readonly string[] =>
  chooseAddresses({ network: desk.view.findNetwork(of).value, name: name as Name, asked: asked.map(Ip) }, desk)
    .addresses;

describe('the addresses of an endpoint', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['that asks for none: the next of each family, with one host number', [], ['10.66.0.2/24', 'fd66::2/64']],
    ['that asks for IPv4: IPv6 has the same host number', ['10.66.0.9'], ['10.66.0.9/24', 'fd66::9/64']],
    ['that asks for IPv6: IPv4 is the next', ['fd66::9'], ['10.66.0.2/24', 'fd66::9/64']],
    ['that asks for both', ['fd66::8', '10.66.0.9'], ['10.66.0.9/24', 'fd66::8/64']],
  ])('%s', (_, asked, expected) => {
    network('blue', ['10.66.0.0/24', 'fd66::/64']);
    expect(choose('blue', 'web', asked)).toEqual(expected);
  });

  test('are asked for in any subnet of the network, and taken from the first with room', () => {
    network('blue', ['10.1.0.0/30', '10.2.0.0/30']);
    expect(choose('blue', 'web', ['10.2.0.2'])).toEqual(['10.2.0.2/30']);
    attach('blue', 'db');
    expect(choose('blue', 'web')).toEqual(['10.2.0.2/30']);
  });

  test('without IPv4 pass over an address whose Ethernet address another endpoint has', () => {
    network('six', ['fd66::/64']);
    network('both', ['10.66.0.0/24', 'fd67::/64']);
    attach('six', 'a', ['fd66::1:0:2']);
    attach('both', 'b', ['fd67::1:0:2']);
    expect(choose('six', 'web')).toEqual(['fd66::3/64']);
    expect(choose('both', 'web')).toEqual(['10.66.0.3/24', 'fd67::3/64']);
  });
});

describe('an endpoint that comes back', () => {
  test('gets the newest address that it had, while it cools; another endpoint does not', () => {
    network('blue', ['10.66.0.0/24']);
    for (const address of ['10.66.0.7', '10.66.0.9', '10.66.0.8']) {
      attach('blue', 'web', [address]);
      release('web');
    }
    expect(choose('blue', 'web')).toEqual(['10.66.0.8/24']);
    expect(choose('blue', 'web', ['10.66.0.7'])).toEqual(['10.66.0.7/24']);
    expect(choose('blue', 'db')).toEqual(['10.66.0.10/24']);
    expect(refusal(() => choose('blue', 'db', ['10.66.0.8'])).message).toMatch(/10\.66\.0\.8 is cooling: .*"web"/);
  });

  test('does not get back an address outside of the ranges for automatic choices', () => {
    const subnets = [{ prefix: plainNetwork('x', ['10.66.0.0/24']).subnets[0]?.prefix, ranges: ['10.66.0.64/26'] }];
    network('blue', [], { subnets });
    attach('blue', 'web', ['10.66.0.7']);
    release('web');
    expect(choose('blue', 'web')).toEqual(['10.66.0.64/24']);
  });

  test('gets back an address whose Ethernet address cools with it', () => {
    network('six', ['fd66::/64']);
    attach('six', 'web', ['fd66::9']);
    release('web');
    expect(choose('six', 'web', ['fd66::9'])).toEqual(['fd66::9/64']);
    expect(refusal(() => choose('six', 'db', ['fd66::1:0:9'])).message).toMatch(/02:43:00:00:00:09, which the cooling/);
  });

  const cooling: Claim = { kind: 'cooling', endpointName: 'web' as Name, node: host.id as NodeId };
  test.each<[string, Claim | undefined, string, boolean]>([
    ['its own cooling address', cooling, 'web', true],
    ['the cooling address of another', cooling, 'db', false],
    ['a gateway', { kind: 'gateway' }, 'web', false],
    ['an address that nothing holds', undefined, 'web', false],
  ])('may have again: %s', (_, claim, name, may) => expect(mayReturn(claim, name as Name)).toBe(may));
});

describe('a request is refused', () => {
  test.each<[string, readonly string[], string, RegExp]>([
    [
      'an address of no subnet',
      ['10.67.0.2'],
      'address-outside',
      /10\.67\.0\.2 is outside.*10\.66\.0\.0\/24, fd66::\/64/,
    ],
    [
      'two addresses of one family',
      ['10.66.0.8', '10.66.0.9'],
      'invalid-argument',
      /10\.66\.0\.8 and 10\.66\.0\.9 are/,
    ],
    ['the same address twice', ['fd66::8', '10.66.0.9', 'fd66::8'], 'invalid-argument', /fd66::8 and fd66::8 are both/],
    ['the gateway', ['10.66.0.1'], 'address-reserved', /the gateway of 10\.66\.0\.0\/24/],
    ['the address of an endpoint', ['10.66.0.2'], 'address-in-use', /in use by endpoint "web"/],
    ['a reserved address', ['10.66.0.3'], 'address-in-use', /10\.66\.0\.3 is reserved for printer/],
  ])('for %s', (_, asked, code, says) => {
    network('blue', ['10.66.0.0/24', 'fd66::/64']);
    attach('blue', 'web');
    desk.make(reserveAddress({ network: 'blue', address: Ip('10.66.0.3'), purpose: 'printer' }));
    const error = refusal(() => choose('blue', 'new', asked));
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(says) });
  });

  test('when a family is full: with what takes the addresses of its ranges', () => {
    network('blue', ['10.66.0.0/29', 'fd66::/64']);
    attach('blue', 'gone');
    release('gone');
    attach('blue', 'a');
    desk.make(reserveAddress({ network: 'blue', address: Ip('10.66.0.6'), purpose: 'printer' }));
    for (const name of ['b', 'c']) attach('blue', name);
    const error = refusal(() => choose('blue', 'new'));
    expect(error.message).toBe(
      'network "blue" has no free IPv4 address: 3 of 5 in use, 1 reserved, 1 cooling in 10.66.0.0/29',
    );
    expect(error.data).toMatchObject({ size: '5', used: '3', reserved: '1', cooling: '1' });
  });
});

test('a holder whose record is gone is named by its claim', () => {
  const { view } = desk;
  const endpoint = 'e0000000000000ff' as never;
  expect(describeHolder(view, { kind: 'endpoint', endpoint, asked: false })).toBe(
    'in use by the endpoint e0000000000000ff',
  );
  expect(describeHolder(view, { kind: 'gateway' })).toBe('in use by the gateway');
});
