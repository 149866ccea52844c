import { Ip, type Name, Prefix } from '@causeway/model';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import { readCreateNetwork } from '../plan/network-requests.ts';
import { registerNode } from '../plan/register-node.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused, type Refused, refusal } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';

const h1 = scriptNode(1);
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  desk.make(registerNode(h1));
});

const create = (subnet: Partial<Subnet>, over: Partial<CreateNetworkRequest> = {}) => {
  const subnets = [Subnet.create({ prefix: '10.1.0.0/24', ...subnet })];
  return desk.make(createNetwork(readCreateNetwork(CreateNetworkRequest.create({ name: 'blue', subnets, ...over }))));
};

describe('a subnet is refused', () => {
  test.each<Refused<Partial<Subnet>>>([
    ['host bits', { prefix: '10.1.0.9/16' }, 'prefix-host-bits', /subnets\[0\].*10\.1\.0\.0\/16/],
    ['no prefix at all', { prefix: '10.1.0.0' }, 'prefix-invalid', /subnets\[0\].*ADDRESS\/LENGTH/],
    ['loopback', { prefix: '127.1.0.0/16' }, 'prefix-invalid', /subnets\[0\].*loopback/],
    ['multicast', { prefix: 'ff05::/64' }, 'prefix-invalid', /multicast/],
    ['everything', { prefix: '0.0.0.0/0' }, 'prefix-invalid', /cannot be used/],
    ['one address', { prefix: '10.1.0.1/32' }, 'prefix-invalid', /use \/31/],
    [
      'nothing left',
      { prefix: '10.1.0.0/30', auxAddresses: { dns: '10.1.0.2' } },
      'subnet-full',
      /10\.1\.0\.0\/30 has no address left/,
    ],
  ])('%s', (_name, subnet, code, says) => expectRefused(desk, () => create(subnet), code, says));

  test.each<Refused<Partial<Subnet>>>([
    ['outside', { gateway: '10.2.0.1' }, 'gateway-outside', /subnets\[0\]\.gateway 10\.2\.0\.1.*such as 10\.1\.0\.1/],
    ['of the other family', { gateway: 'fd01::1' }, 'gateway-outside', /gateway/],
    ['the network address', { gateway: '10.1.0.0' }, 'address-reserved', /network address.*10\.1\.0\.1/],
    ['the broadcast address', { gateway: '10.1.0.255' }, 'address-reserved', /broadcast/],
    ['the anycast address', { prefix: 'fd01::/64', gateway: 'fd01::' }, 'address-reserved', /anycast/],
    ['no address', { gateway: 'one' }, 'address-invalid', /subnets\[0\]\.gateway/],
  ])('gateway: %s', (_name, subnet, code, says) => expectRefused(desk, () => create(subnet), code, says));

  test('gateway: of an internal network', () =>
    expectRefused(
      desk,
      () => create({ gateway: '10.1.0.9' }, { internal: true }),
      'gateway-internal',
      /subnets\[0\]\.gateway 10\.1\.0\.9.*internal/,
    ));

  test.each<Refused<Partial<Subnet>>>([
    [
      'outside',
      { ranges: ['10.2.0.0/25'] },
      'range-outside',
      /subnets\[0\]\.ranges\[0\] 10\.2\.0\.0\/25 is outside of 10\.1\.0\.0\/24/,
    ],
    ['of the other family', { ranges: ['fd01::/96'] }, 'range-outside', /fd01::\/96/],
    ['larger than its subnet', { ranges: ['10.1.0.0/16'] }, 'range-outside', /10\.1\.0\.0\/16/],
    ['malformed', { ranges: ['10.1.0.9/25'] }, 'prefix-host-bits', /subnets\[0\]\.ranges\[0\]/],
    [
      'overlaps another',
      { ranges: ['10.1.0.0/25', '10.1.0.64/26'] },
      'range-overlap',
      /ranges\[1\] 10\.1\.0\.64\/26 overlaps 10\.1\.0\.0\/25/,
    ],
    [
      'the gateway alone',
      { gateway: '10.1.0.9', ranges: ['10.1.0.9/32'] },
      'range-empty',
      /ranges\[0\] 10\.1\.0\.9\/32/,
    ],
    ['the network address alone', { ranges: ['10.1.0.0/31'] }, 'range-empty', /larger range/],
    [
      'too many',
      { ranges: Array.from({ length: 65 }, (_, i) => `10.1.0.${i}/32`) },
      'invalid-argument',
      /65 ranges.*the limit is 64/,
    ],
  ])('range: %s', (_name, subnet, code, says) => expectRefused(desk, () => create(subnet), code, says));

  test.each<Refused<Record<string, string>>>([
    ['outside', { dns: '10.2.0.9' }, 'aux-address-outside', /subnets\[0\]\.aux_addresses\.dns 10\.2\.0\.9/],
    ['twice', { dns: '10.1.0.9', web: '10.1.0.9' }, 'aux-address-duplicate', /aux_addresses\.web 10\.1\.0\.9 is "dns"/],
    ['the gateway', { dns: '10.1.0.7' }, 'address-reserved', /aux_addresses\.dns 10\.1\.0\.7 is the gateway/],
    ['the broadcast address', { dns: '10.1.0.255' }, 'address-reserved', /broadcast/],
    ['its name', { 'a b': '10.1.0.9' }, 'name-invalid', /aux_addresses\.a b/],
    ['malformed', { dns: 'nine' }, 'address-invalid', /aux_addresses\.dns/],
    [
      'too many',
      Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`x${i}`, `10.1.0.${i + 8}`])),
      'invalid-argument',
      /25 auxiliary addresses.*the limit of a network is 24/,
    ],
  ])('auxiliary address: %s', (_name, auxAddresses, code, says) =>
    expectRefused(desk, () => create({ gateway: '10.1.0.7', auxAddresses }), code, says),
  );
});

test('gateways: by rule, or asked for; never an auxiliary address', () => {
  const gateways = (over: Partial<CreateNetworkRequest>) => {
    const subnets = [
      Subnet.create({ prefix: '10.1.0.0/24', auxAddresses: { dns: '10.1.0.1' } }),
      Subnet.create({ prefix: '10.2.0.0/24', gateway: over.internal === true ? '' : '10.2.0.9' }),
    ];
    const request = readCreateNetwork(CreateNetworkRequest.create({ name: 'blue', subnets, ...over }));
    return createNetwork(request)
      .plan(desk)
      .reply.subnets.map(({ gateway }) => gateway);
  };
  expect(gateways({})).toEqual(['10.1.0.2', '10.2.0.9']);
  expect(gateways({ noGateway: true })).toEqual([undefined, '10.2.0.9']);
  expect(gateways({ internal: true })).toEqual([undefined, undefined]);
});

test('a range may be the whole subnet', () => {
  expect(create({ ranges: ['10.1.0.0/24'] }).subnets).toMatchObject([{ ranges: ['10.1.0.0/24'] }]);
});

test('an auxiliary address cannot be used a second time', () => {
  const subnet = { prefix: Prefix('10.1.0.0/29'), auxAddresses: { dns: Ip('10.1.0.2') } };
  desk.make(createNetwork(plainNetwork('blue', [], { subnets: [subnet] })));
  const claim = (name: string, ...addresses: Ip[]) =>
    desk.make(claimEndpoint({ network: 'blue', name: name as Name, node: h1.id, addresses }));
  expect(claim('a').addresses).toEqual(['10.1.0.3/29']);
  expect(refusal(() => claim('b', Ip('10.1.0.2'))).message).toMatch(/dns/);
});
