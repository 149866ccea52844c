import { Ip, type Name, Prefix } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, expect, test } from 'vitest';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import { registerNode } from '../plan/register-node.ts';
import { releaseEndpoint } from '../plan/release-endpoint.ts';
import { reserveAddress } from '../plan/reservations.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { scriptNode } from '../testing/view-script.ts';
import { useOf } from './usage.ts';

const [h1, h2] = [scriptNode(1), scriptNode(2)];
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(1));
  for (const node of [h1, h2]) desk.make(registerNode(node));
  const four = {
    prefix: Prefix('10.7.0.0/24'),
    ranges: [Prefix('10.7.0.64/28')],
    auxAddresses: { dns: Ip('10.7.0.53') },
  };
  desk.make(createNetwork(plainNetwork('blue', [], { subnets: [four, { prefix: Prefix('fd07::/120') }] })));
});

const attach = (name: string, node = h1, ...addresses: string[]) =>
  desk.make(claimEndpoint({ network: 'blue', name: name as Name, node: node.id, addresses: addresses.map(Ip) }));
const use = () => useOf(desk.view.findNetwork('blue').value, desk.view);

test('a new subnet: its gateway and auxiliary addresses are reserved, the rest is free', () => {
  expect(use()).toMatchObject([
    { used: 0n, reserved: 2n, cooling: 0n, free: 252n, automatic: 16n, reservations: [] },
    { used: 0n, reserved: 1n, cooling: 0n, free: 254n, automatic: 254n, reservations: [] },
  ]);
  expect(use().map(({ usedByHost }) => usedByHost.size)).toEqual([0, 0]);
});

test('addresses of endpoints, by host; reservations; and addresses that cool', () => {
  attach('a');
  attach('b', h2);
  attach('c', h2, '10.7.0.9');
  const { id } = attach('gone', h1);
  desk.make(releaseEndpoint({ endpoint: id, node: h1.id, reason: 'asked' }));
  desk.make(reserveAddress({ network: 'blue', address: Ip('10.7.0.70'), purpose: 'printer' }));
  const [four, six] = use();
  expect(four).toMatchObject({ used: 3n, reserved: 3n, cooling: 1n, free: 247n, automatic: 12n });
  expect(four?.reservations).toMatchObject([{ address: '10.7.0.70', purpose: 'printer' }]);
  expect(six).toMatchObject({ used: 3n, reserved: 1n, cooling: 1n, free: 250n, automatic: 250n, reservations: [] });
  for (const subnet of [four, six])
    expect([...(subnet?.usedByHost ?? [])]).toEqual([
      [h1.id, 1],
      [h2.id, 2],
    ]);
});

test('a claim in a subnet that the network has no more is not counted', () => {
  attach('a');
  const { value } = desk.view.findNetwork('blue');
  const [four, six] = useOf({ ...value, subnets: value.subnets.slice(1) }, desk.view);
  expect([four?.subnet.prefix, four?.used, six]).toEqual(['fd07::/120', 1n, undefined]);
});
