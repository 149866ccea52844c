import { type Family, Ip, type Name, Prefix } from '@causeway/model';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Allocator } from '../ipam/allocator.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused, type Refused, refusal } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { type CreateNetwork, createNetwork } from './create-network.ts';
import { deleteNetwork } from './delete-network.ts';
import { asDryRun } from './intent.ts';
import { readCreateNetwork } from './network-requests.ts';
import { registerNode } from './register-node.ts';

let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
});

const subnets = (...prefixes: string[]) => ({ subnets: prefixes.map((prefix) => Subnet.create({ prefix })) });

describe('a network is refused', () => {
  test.each<Refused<Partial<CreateNetworkRequest>>>([
    [
      'too many subnets',
      subnets(...Array.from({ length: 17 }, (_, i) => `10.${i + 1}.0.0/16`)),
      'invalid-argument',
      /17 subnets.*the limit of a network is 16/,
    ],
    [
      'subnets that overlap',
      subnets('10.1.0.0/16', 'fd01::/64', '10.1.2.0/24'),
      'subnet-overlap',
      /subnets\[2\] 10\.1\.2\.0\/24 overlaps subnets\[0\] 10\.1\.0\.0\/16/,
    ],
    ['overlap with a network, wider', subnets('10.0.0.0/8'), 'subnet-overlap', /10\.66\.0\.0\/24 of network "blue"/],
    ['overlap with a network, narrower', subnets('fd66::/80'), 'subnet-overlap', /fd66::\/64 of network "blue"/],
    ['driver', { driver: 'macvlan' }, 'driver-unknown', /"macvlan".*"overlay"/],
    ['name taken', { name: 'blue' }, 'name-taken', /a network named "blue" exists/],
    ['name invalid', { name: 'no spaces' }, 'name-invalid', /name "no spaces".*letters/],
    ['name like an id', { name: '0123456789abcdef' }, 'name-invalid', /has the form of an id/],
    ['space invalid', { addressSpace: '/' }, 'name-invalid', /address_space/],
    ['mtu too small for IPv6', { mtu: 1279, ...subnets('fd01::/64') }, 'mtu-invalid', /mtu 1279.*1280 to 65535.*IPv6/],
    ['mtu too small', { mtu: 67 }, 'mtu-invalid', /68 to 65535/],
    ['mtu too large', { mtu: 65_536 }, 'mtu-invalid', /68 to 65535/],
    ['families beside subnets', { ipv6: true }, 'family-unneeded', /ipv6 asks for a subnet from the default pools/],
    ['an MTU that a host cannot carry', { mtu: 1_451 }, 'mtu-too-large', /mtu 1451 is more than h1 carries/],
    [
      'a subnet with a host in it',
      subnets('192.0.2.0/24'),
      'underlay-overlap',
      /subnets\[0\] 192\.0\.2\.0\/24 overlaps/,
    ],
    ['vni too large', { vni: 2 ** 24 }, 'vni-invalid', /1 to 16777215/],
    ['vni taken', { vni: 4096 }, 'vni-taken', /vni 4096.*"blue"/],
    ['label key', { labels: { 'a b': '' } }, 'invalid-argument', /label key "a b"/],
    ['label value too long', { labels: { a: 'x'.repeat(1025) } }, 'invalid-argument', /label "a".*the limit is 1024/],
    ['label value for a terminal', { labels: { a: '\u001b[2J' } }, 'invalid-argument', /control characters/],
    [
      'too many labels',
      { labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])) },
      'invalid-argument',
      /the limit is 64/,
    ],
  ])('%s', (_name, message, code, says) => {
    desk.make(registerNode(scriptNode(1)));
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24', 'fd66::/64'])));
    const request = CreateNetworkRequest.create({ name: 'green', ...subnets('10.1.0.0/16'), ...message });
    expectRefused(desk, () => desk.make(createNetwork(readCreateNetwork(request))), code, says);
  });
});

test.each<[string, Partial<CreateNetwork>]>([
  ['name', { name: '0123456789abcdef' as Name }],
  ['label', { labels: { 'a b': '' } }],
  ['VNI', { vni: 0 }],
  ['family', { families: [4] }],
  ['subnet', { subnets: [{ prefix: Prefix('10.1.0.0/16') }, { prefix: Prefix('10.1.0.0/24') }] }],
  [
    'gateway of an internal network',
    { internal: true, subnets: [{ prefix: Prefix('10.1.0.0/16'), gateway: Ip('10.1.0.1') }] },
  ],
  ['MTU', { mtu: 67 }],
])('a wrong %s is refused before the store is asked', (_, over) => {
  const request = createNetwork({ ...plainNetwork('blue', ['10.1.0.0/16']), ...over });
  expect(['invalid', 'conflict']).toContain(refusal(() => request.check?.()).kind);
});

describe('a network without named subnets', () => {
  const pools = [
    { prefix: Prefix('10.32.0.0/16'), length: 24 },
    { prefix: Prefix('fd32::/48'), length: 64 },
  ];
  const prefixes = (families: readonly Family[]) => {
    const made = desk.make(createNetwork({ ...plainNetwork('blue', []), families }, pools));
    return made.subnets.map(({ prefix }) => prefix);
  };

  test.each<[Family[], string[]]>([
    [[], ['10.32.0.0/24', 'fd32::/64']],
    [[4], ['10.32.0.0/24']],
    [[6], ['fd32::/64']],
  ])('gets subnets of families %j from the pools', (families, expected) =>
    expect(prefixes(families)).toEqual(expected),
  );

  test('is not held up by a host in its subnet, which a pool never gives', () => {
    desk.make(registerNode(scriptNode(1, '10.32.0.9')));
    expect(prefixes([4])).toEqual(['10.32.1.0/24']);
  });
});

test('by force it may be more than a host carries, and overlap an underlay', () => {
  desk.make(registerNode(scriptNode(1)));
  const made = desk.make(createNetwork(plainNetwork('blue', ['192.0.2.0/24'], { mtu: 9_000, force: true })));
  expect(made.mtu).toEqual({ kind: 'fixed', bytes: 9_000 });
});

test('a requested VNI is claimed as requested', () => {
  for (const [name, prefix, over] of [
    ['a', '10.1.0.0/24', {}],
    ['b', '10.2.0.0/24', { vni: 9000 }],
  ] as const)
    desk.make(createNetwork(plainNetwork(name, [prefix], over)));
  expect(Array.from(desk.view.vnis, ([vni, { claim }]) => [vni, 'asked' in claim && claim.asked])).toEqual([
    [4096, false],
    [9000, true],
  ]);
});

test('a network with all its settings', () => {
  const made = desk.make(
    createNetwork(plainNetwork('blue', ['10.66.0.0/16', 'fd66::/64'], { labels: { tier: 'web' } })),
  );
  expect(made).toMatchObject({
    name: 'blue',
    vni: 4096,
    mtu: { kind: 'automatic', bytes: 1450 },
    subnets: [
      { prefix: '10.66.0.0/16', gateway: '10.66.0.1' },
      { prefix: 'fd66::/64', gateway: 'fd66::1' },
    ],
    labels: { tier: 'web' },
  });
  expect(desk.view.findNetwork('blue').value).toEqual(made);
});

test('a dry run checks everything and returns the result, and writes nothing', () => {
  const request = createNetwork(plainNetwork('blue', ['10.1.0.0/24']));
  const nothing = { compares: [], writes: [], takes: [], events: [] };
  expect(asDryRun(request).plan(desk)).toMatchObject({ ...nothing, reply: { vni: 4096 } });
  desk.make(request);
  expect(refusal(() => asDryRun(request).plan(desk)).code).toBe('name-taken');
});

test('the same prefix is fine in another address space', () => {
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16'])));
  desk.make(createNetwork(plainNetwork('green', ['10.66.0.0/16'], { addressSpace: 'tenant' as Name })));
  expect(desk.view.findNetwork('green').value.vni).toBe(4097);
});

describe('the VNI', () => {
  test('is the next in turn, whatever was asked for in between', () => {
    const vniOf = (name: string, prefix: string, vni?: number): number =>
      desk.make(createNetwork(plainNetwork(name, [prefix], vni === undefined ? {} : { vni }))).vni;
    expect(vniOf('a', '10.1.0.0/24')).toBe(4096);
    expect(vniOf('b', '10.2.0.0/24', 9000)).toBe(9000);
    expect(vniOf('c', '10.3.0.0/24', 4097)).toBe(4097);
    expect(vniOf('d', '10.4.0.0/24')).toBe(4098);
    desk.make(deleteNetwork({ network: 'd', force: false }));
    expect(vniOf('e', '10.5.0.0/24')).toBe(4099);
  });

  test('is refused while it cools, and when none is left, with the counts', () => {
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16'], { vni: 77 })));
    desk.make(deleteNetwork({ network: 'blue', force: false }));
    const again = createNetwork(plainNetwork('green', ['10.66.0.0/16'], { vni: 77 }));
    expect(refusal(() => again.plan(desk))).toMatchObject({
      code: 'vni-taken',
      kind: 'conflict',
      message: expect.stringContaining('vni 77 is cooling: network "blue" had it'),
      data: { field: 'vni', value: 77, network: 'blue' },
    });
    const full = { nextVni: () => undefined, vniUse: { size: 10, used: 7, cooling: 3 } };
    const planning = { ...desk, allocator: full as unknown as Allocator };
    const request = createNetwork(plainNetwork('green', ['10.67.0.0/16']));
    expect(refusal(() => request.plan(planning))).toMatchObject({
      code: 'vni-exhausted',
      message: expect.stringContaining('7 of 10 in use, 3 cooling'),
    });
  });
});

describe('an encrypted network', () => {
  const driver = 'encrypted-overlay';

  test('leaves room for ESP, and is stored with its driver', () => {
    desk.make(registerNode(scriptNode(1)));
    const made = desk.make(createNetwork(plainNetwork('vault', ['10.1.0.0/16'], { driver })));
    expect(made).toMatchObject({ driver, mtu: { kind: 'automatic', bytes: 1_416 } });
    expect(desk.view.networkNamed('vault' as Name)?.value).toEqual(made);
  });

  test('may not have an MTU that leaves no room for ESP', () => {
    desk.make(registerNode(scriptNode(1)));
    const make = (mtu: number) =>
      desk.make(createNetwork(plainNetwork(`n${mtu}`, [`10.${mtu - 1_400}.0.0/16`], { driver, mtu })));
    expect(make(1_416).mtu).toEqual({ kind: 'fixed', bytes: 1_416 });
    expect(refusal(() => make(1_417)).message).toMatch(/ask for 1416 or less, which leaves room for VXLAN and ESP/);
  });

  test('has an MTU for Ethernet while no host is known', () => {
    const made = desk.make(createNetwork(plainNetwork('vault', ['10.1.0.0/16'], { driver })));
    expect(made.mtu.bytes).toBe(1_416);
  });
});
