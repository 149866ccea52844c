import { CausewayError, type ClusterId, Ip, type Name, type NodeId, overlaps, Prefix } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type CreateNetwork, createNetwork } from '../plan/create-network.ts';
import { deleteNetwork } from '../plan/delete-network.ts';
import { registerNode } from '../plan/register-node.ts';
import { records } from '../store/records/index.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { type DefaultPool, parsePool, poolsOf, takeSubnets, uniqueLocal } from './subnet-pools.ts';

const cluster = 'c0ffee1234567890' as ClusterId;
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(5));
  const value = records.meta.codec.encode({ clusterId: cluster, epoch: 1n, schema: 1 });
  desk.write({
    compares: [],
    takes: [],
    events: [],
    reply: undefined,
    writes: [{ kind: 'put', key: desk.keys.meta, value }],
  });
});

const pool = (text: string): DefaultPool => {
  const parsed = parsePool(text);
  if (!parsed.ok) throw parsed.error;
  return parsed.value;
};
const create = (name: string, over: Partial<CreateNetwork> = {}, ...pools: string[]) =>
  desk.make(createNetwork(plainNetwork(name, [], over), pools.map(pool))).subnets;
const host = (routes: readonly string[], dataPath = '192.0.2.1') =>
  desk.make(
    registerNode({
      id: '00000000000000a1' as NodeId,
      name: 'h1' as Name,
      dataPath: Ip(dataPath),
      underlayMtu: 1500,
      version: '1',
      hostRoutes: routes.map(Prefix),
    }),
  );

describe('a network without subnets', () => {
  test('has one of each family, or of the families asked for', () => {
    expect(create('blue')).toEqual([
      { prefix: '10.0.0.0/20', gateway: '10.0.0.1' },
      { prefix: 'fdc0:ffee:1234::/64', gateway: 'fdc0:ffee:1234::1' },
    ]);
    expect(create('four', { families: [4] })).toEqual([{ prefix: '10.0.16.0/20', gateway: '10.0.16.1' }]);
    expect(create('six', { families: [6], internal: true })).toEqual([{ prefix: 'fdc0:ffee:1234:1::/64' }]);
  });

  test('takes what was given back, and in another address space what is taken here', () => {
    create('blue', { families: [4] });
    create('green', { families: [4] });
    expect(create('other', { families: [4], addressSpace: 'tenant' as Name })[0]?.prefix).toBe('10.0.0.0/20');
    desk.make(deleteNetwork({ network: 'blue', force: false }));
    expect(create('red', { families: [4] })[0]?.prefix).toBe('10.0.0.0/20');
  });

  test('keeps off what hosts have routes to, and off their data paths', () => {
    host(['10.0.0.0/12', '10.16.4.0/24', '172.16.0.0/12'], '10.16.16.7');
    expect(create('blue', { families: [4] })[0]?.prefix).toBe('10.16.32.0/20');
  });

  test('follows the pools the cluster was given, one after another', () => {
    const pools = ['172.31.0.0/16:24'];
    expect(create('a', { families: [4] }, ...pools)[0]?.prefix).toBe('172.31.0.0/24');
    expect(create('b', {}, 'fd00:5::/64:80', '192.168.0.0/30:30', ...pools).map(({ prefix }) => prefix)).toEqual([
      '192.168.0.0/30',
      'fd00:5::/80',
    ]);
    expect(create('c', { families: [4] }, '192.168.0.0/30:30', ...pools)[0]?.prefix).toBe('172.31.1.0/24');
  });

  test('is refused when nothing is left, with the numbers', () => {
    const two = '172.31.0.0/23:24';
    host(['172.31.1.128/25']);
    create('a', { families: [4] }, two);
    const attempt = () => create('b', { families: [4] }, two);
    expect(attempt).toThrow(CausewayError);
    expect(attempt).toThrow(
      /no IPv4 subnet is free: 172\.31\.0\.0\/23 has 2 subnets of length 24: networks use 1, routes of hosts 1; name/,
    );
  });

  test('a family beside named subnets makes no sense', () => {
    const both = plainNetwork('blue', ['10.1.0.0/24'], { families: [6] });
    expect(() => desk.make(createNetwork(both))).toThrow(/ipv6 asks for a subnet.*subnets are named/);
  });
});

test.each<[string, readonly string[], readonly string[]]>([
  ['none: those of both families', [], ['10.0.0.0/8', 'fdc0:ffee:1234::/48']],
  ['one of IPv4', ['172.31.0.0/16:24'], ['172.31.0.0/16', 'fdc0:ffee:1234::/48']],
  ['one of IPv6', ['fd00:5::/64:80'], ['fd00:5::/64', '10.0.0.0/8']],
  ['of both', ['fd00:5::/64:80', '172.31.0.0/16:24'], ['fd00:5::/64', '172.31.0.0/16']],
])('the pools of a cluster that was given %s', (_, given, expected) => {
  expect(poolsOf(given.map(pool), cluster).map(({ prefix }) => prefix)).toEqual(expected);
});

test('the ULA follows from the cluster', () => {
  expect(uniqueLocal('00000000ff000000' as ClusterId)).toBe('fd00:0:ff::/48');
  expect(poolsOf([], undefined)).toEqual([{ prefix: '10.0.0.0/8', length: 20 }]);
});

test.each([
  ['10.0.0.0/8', /PREFIX:LENGTH/],
  ['10.0.0.1/8:20', /PREFIX:LENGTH/],
  ['10.0.0.0/8:7', /from 8 to 30/],
  ['10.0.0.0/8:31', /from 8 to 30/],
  ['fd00::/48:127', /from 48 to 126/],
  ['fd00::/48', /PREFIX:LENGTH/],
  ['127.0.0.0/8:24', /loopback/],
  ['', /PREFIX:LENGTH/],
])('pool %s is refused', (text, says) => {
  const parsed = parsePool(text);
  expect(parsed.ok).toBe(false);
  if (!parsed.ok) expect(parsed.error.message).toMatch(says);
});

test('what is taken overlaps nothing, and is the lowest that does not', () => {
  const inside = fc.tuple(fc.nat(2 ** 16 - 1), fc.integer({ min: 18, max: 32 })).map(([offset, length]) => {
    const bits = ((0xac1f0000 + offset) >>> 0) - (((0xac1f0000 + offset) >>> 0) % 2 ** (32 - length));
    return Prefix(`${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}/${length}`);
  });
  fc.assert(
    fc.property(fc.array(inside, { maxLength: 20 }), (routes) => {
      desk = new PlanHarness(new SeededRandom(1));
      host(routes);
      const blocks = Array.from({ length: 256 }, (_, i) => Prefix(`172.31.${i}.0/24`));
      const lowest = blocks.find((block) => !routes.some((route) => overlaps(route, block)));
      const take = () => takeSubnets([4], 'default' as Name, [pool('172.31.0.0/16:24')], desk.view);
      if (lowest === undefined) expect(take).toThrow(/0 are free/);
      else expect(take()).toEqual([lowest]);
    }),
  );
});
