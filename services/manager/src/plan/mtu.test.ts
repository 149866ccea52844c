import { type Driver, type Mtu, Prefix, type Subnet } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { refusal } from '../testing/refusal.ts';
import { networkId, scriptNode } from '../testing/view-script.ts';
import { createNetwork } from './create-network.ts';
import { afterMtu, checkCarried, fixedMtu, isTooSmall, lowerMtu, networksTooLarge } from './mtu.ts';
import { registerNode } from './register-node.ts';

test.each<{ name: string; hosts: readonly { mtu: number; vtep?: string }[]; bytes: number }>([
  { name: 'IPv4 underlay', hosts: [{ mtu: 1500 }], bytes: 1450 },
  { name: 'IPv6 underlay', hosts: [{ mtu: 1500, vtep: '2001:db8::1' }], bytes: 1430 },
  { name: 'the smallest host decides', hosts: [{ mtu: 9000 }, { mtu: 1400 }], bytes: 1350 },
  { name: 'jumbo', hosts: [{ mtu: 9000 }], bytes: 8950 },
  { name: 'never below what IPv6 needs', hosts: [{ mtu: 1300 }], bytes: 1280 },
  { name: 'no host yet', hosts: [], bytes: 1450 },
])('automatic MTU: $name', ({ hosts, bytes }) => {
  const desk = new PlanHarness(new SeededRandom(1));
  for (const [i, { mtu, vtep }] of hosts.entries()) desk.make(registerNode(scriptNode(i + 1, vtep, mtu)));
  expect(desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16', 'fd66::/64']))).mtu.bytes).toBe(bytes);
});

const [four, six] = [[{ prefix: Prefix('10.1.0.0/16') }], [{ prefix: Prefix('fd01::/64') }]];
const withHosts = (...mtus: number[]): PlanHarness => {
  const desk = new PlanHarness(new SeededRandom(1));
  for (const [i, mtu] of mtus.entries()) desk.make(registerNode(scriptNode(i + 1, undefined, mtu)));
  return desk;
};

test.each<[bytes: number, subnets: readonly Subnet[], says: RegExp | undefined]>([
  [68, four, undefined],
  [67, four, /^mtu 67 is outside 68 to 65535 bytes$/],
  [65_535, four, undefined],
  [65_536, four, /^mtu 65536 is outside 68 to 65535 bytes$/],
  [1_280, six, undefined],
  [1_279, six, /^mtu 1279 is outside 1280 to 65535 bytes, since IPv6 needs that much/],
  [68, six, /since IPv6 needs that much/],
  [67, six, /^mtu 67 is outside 1280 to 65535 bytes$/],
  [65_536, six, /^mtu 65536 is outside 1280 to 65535 bytes$/],
  [1_400.5, four, /^mtu 1400.5 is outside/],
])('a fixed MTU of %d for %j', (bytes, subnets, says) => {
  if (says === undefined) expect(fixedMtu(bytes, subnets)).toEqual({ kind: 'fixed', bytes });
  else expect(refusal(() => fixedMtu(bytes, subnets)).message).toMatch(says);
});

test.each<[bytes: number, subnets: readonly Subnet[], tooSmall: boolean]>([
  [1_279, six, true],
  [1_280, six, false],
  [1_279, four, false],
])('an MTU of %d is too small for %j: %s', (bytes, subnets, tooSmall) => {
  expect(isTooSmall({ kind: 'fixed', bytes }, subnets)).toBe(tooSmall);
});

describe('a fixed MTU and the underlays of hosts', () => {
  const check = (desk: PlanHarness, bytes: number, subnets: readonly Subnet[] = four) =>
    checkCarried(desk.view, { kind: 'fixed', bytes }, { driver: 'overlay', subnets });

  test.each<[string, number[], number, readonly Subnet[]]>([
    ['no host yet', [], 9_000, four],
    ['what every host carries', [1_500, 9_000], 1_450, four],
    ['less than hosts carry', [1_500], 1_000, four],
    ['what IPv6 needs, although the host carries less', [1_300], 1_280, six],
  ])('%s', (_, hosts, bytes, subnets) => expect(() => check(withHosts(...hosts), bytes, subnets)).not.toThrow());

  test.each<[string, number[], string, number]>([
    ['one host', [1_500, 9_000], 'more than h1 carries: ask for 1450 or less', 1_450],
    ['several hosts', [1_500, 1_400, 9_000], 'more than h1, h2 carry: ask for 1350 or less', 1_350],
  ])('refused: more than %s can carry', (_, hosts, says, room) => {
    expect(refusal(() => check(withHosts(...hosts), 1_451))).toMatchObject({
      code: 'mtu-too-large',
      message: expect.stringContaining(says),
      data: { value: 1_451, room },
    });
  });
});

test.each<[before: Mtu, bytes: number, highest: number | undefined]>([
  [{ kind: 'automatic', bytes: 1_450 }, 1_400, 1_450],
  [{ kind: 'automatic', bytes: 1_450 }, 1_450, undefined],
  [{ kind: 'automatic', bytes: 1_400 }, 1_450, undefined],
  [{ kind: 'automatic', bytes: 1_400, highest: 1_450 }, 1_350, 1_450],
  [{ kind: 'automatic', bytes: 1_400, highest: 1_450 }, 1_430, 1_450],
  [{ kind: 'automatic', bytes: 1_400, highest: 1_450 }, 1_450, undefined],
])('after %j comes %d, and the highest so far is %s', (before, bytes, highest) => {
  const next = { kind: 'fixed', bytes } as const;
  expect(afterMtu(before, next)).toEqual(highest === undefined ? next : { ...next, highest });
});

test('an automatic MTU that a new host cannot carry is lowered, once; a fixed MTU and a small one are not', () => {
  const desk = withHosts(1_500);
  const make = (name: string, prefix: string, mtu?: number) =>
    desk.make(createNetwork(plainNetwork(name, [prefix], mtu === undefined ? {} : { mtu }))).id;
  const blue = make('blue', '10.1.0.0/16');
  make('fixed', '10.2.0.0/16', 1_450);
  expect(networksTooLarge(desk.view)).toEqual([]);
  desk.make(registerNode(scriptNode(2, undefined, 1_400)));
  make('later', '10.3.0.0/16');
  expect(networksTooLarge(desk.view)).toEqual([blue]);
  const { revision } = desk.view.findNetwork('blue');
  const lower = lowerMtu(blue);
  expect(lower.plan(desk)).toMatchObject({
    compares: [{ kind: 'unchanged', key: desk.keys.network(blue), modRevision: revision }],
    writes: [{ kind: 'put', key: desk.keys.network(blue) }],
  });
  desk.make(lower);
  expect(desk.view.findNetwork('blue').value.mtu).toEqual({ kind: 'automatic', bytes: 1_350, highest: 1_450 });
  for (const id of [blue, networkId(9)]) expect(lowerMtu(id).plan(desk).writes).toEqual([]);
});

test('an encrypted network is lowered, too, and further', () => {
  const desk = withHosts(1_500);
  const vault = desk.make(createNetwork(plainNetwork('vault', ['10.1.0.0/16'], { driver: 'encrypted-overlay' }))).id;
  desk.make(createNetwork(plainNetwork('small', ['10.2.0.0/16'], { mtu: 1_316 })));
  desk.make(registerNode(scriptNode(2, undefined, 1_400)));
  expect(networksTooLarge(desk.view)).toEqual([vault]);
  desk.make(lowerMtu(vault));
  expect(desk.view.findNetwork('vault').value.mtu).toEqual({ kind: 'automatic', bytes: 1_316, highest: 1_416 });
});

test('a host that needs ESP in UDP takes 8 bytes of encrypted networks, also from hosts with smaller underlays', () => {
  const desk = withHosts(1_500, 1_400);
  const make = (name: string, prefix: string, driver: Driver) =>
    desk.make(createNetwork(plainNetwork(name, [prefix], { driver }))).id;
  const vault = make('vault', '10.1.0.0/16', 'encrypted-overlay');
  make('plain', '10.2.0.0/16', 'overlay');
  expect(networksTooLarge(desk.view)).toEqual([]);
  desk.make(registerNode({ ...scriptNode(1), encapPort: 4500 }));
  expect(networksTooLarge(desk.view)).toEqual([vault]);
  desk.make(lowerMtu(vault));
  expect(desk.view.findNetwork('vault').value.mtu).toEqual({ kind: 'automatic', bytes: 1_308, highest: 1_316 });
});
