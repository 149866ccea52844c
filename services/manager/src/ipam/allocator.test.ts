import {
  type EndpointId,
  Ip,
  type Mac,
  macForIp,
  type Name,
  type NetworkId,
  type NodeId,
  type Vni,
} from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNetwork } from '../plan/create-network.ts';
import type { Claim } from '../store/records/claim.ts';
import { records } from '../store/records/index.ts';
import type { Write } from '../store/store.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { Allocator, type Take } from './allocator.ts';

const endpoint = 'e000000000000001' as EndpointId;
const node = 'a000000000000001' as NodeId;
const claims: readonly Claim[] = [
  { kind: 'endpoint', endpoint, asked: false },
  { kind: 'endpoint', endpoint, asked: true },
  { kind: 'reservation', purpose: 'printer' },
  { kind: 'cooling', endpointName: 'web' as Name, node },
];
const vnis = [4096, 4097, 4098, 9000] as Vni[];
const ips = [2, 3, 4, 5, 6].map((n) => Ip(`10.66.0.${n}`));
const macs = ['fd66::2', 'fd66::3'].map((text) => macForIp(Ip(text)));

/** A view with one network, and what a test does to it. */
function world() {
  const desk = new PlanHarness(new SeededRandom(1));
  const network = desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/29', 'fd66::/64'])));
  const write = (...writes: Write[]): void =>
    desk.write({ compares: [], writes, takes: [], events: [], reply: undefined });
  const put = (key: string, value: Uint8Array): void => write({ kind: 'put', key, value });
  return {
    desk,
    network,
    claim: (ip: Ip, claim: Claim | undefined): void => {
      const key = desk.keys.address(network.id, ip);
      if (claim !== undefined) put(key, records.address.codec.encode(claim));
      else if (desk.written.has(key)) write({ kind: 'delete', key });
    },
    claimMac: (mac: Mac, isClaimed: boolean): void => {
      const key = desk.keys.mac(network.id, mac);
      if (isClaimed) put(key, records.mac.codec.encode({ kind: 'endpoint', endpoint, asked: false }));
      else if (desk.written.has(key)) write({ kind: 'delete', key });
    },
    claimVni: (vni: Vni, isClaimed: boolean): void => {
      const key = desk.keys.vni(vni);
      const value = records.vni.codec.encode({
        kind: 'network',
        network: 'ffffffffffffffff' as NetworkId,
        asked: false,
      });
      if (isClaimed) put(key, value);
      else if (desk.written.has(key)) write({ kind: 'delete', key });
    },
  };
}

/** What the allocator gives and counts. */
function given(allocator: Allocator, { desk, network }: ReturnType<typeof world>) {
  const [four] = allocator.subnetsOf(desk.view.networks.get(network.id)?.value ?? network);
  const { used, reserved, cooling, size } = four?.use ?? {};
  return {
    free: [0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].flatMap((offset) => four?.freeAt(offset) ?? []),
    use: { used, reserved, cooling, size },
    vnis: allocator.vniUse,
    macs: macs.filter((mac) => allocator.isMacTaken(network.id, mac)),
  };
}

type Act =
  | { readonly do: 'claim'; readonly ip: Ip; readonly claim: Claim | undefined }
  | { readonly do: 'mac' | 'vni'; readonly n: number; readonly isClaimed: boolean }
  | { readonly do: 'hold'; readonly takes: readonly number[] }
  | { readonly do: 'release'; readonly n: number };

const acts = fc.array(
  fc.oneof<fc.Arbitrary<Act>[]>(
    fc.record({ do: fc.constant('claim'), ip: fc.constantFrom(...ips), claim: fc.constantFrom(...claims, undefined) }),
    fc.record({ do: fc.constantFrom('mac', 'vni'), n: fc.nat(1), isClaimed: fc.boolean() }),
    fc.record({ do: fc.constant('hold'), takes: fc.array(fc.nat(8), { maxLength: 3 }) }),
    fc.record({ do: fc.constant('release'), n: fc.nat(5) }),
  ),
  { maxLength: 25 },
);

test('an allocator that has followed the view gives what one gives that begins now, with the same proposals in flight', () => {
  fc.assert(
    fc.property(acts, (all) => {
      const at = world();
      const { desk, network } = at;
      const takes: Take[] = [
        ...ips.map((ip): Take => ({ kind: 'addr', network: network.id, ip })),
        ...macs.map((mac): Take => ({ kind: 'mac', network: network.id, mac })),
        ...[9000, 9001].map((vni): Take => ({ kind: 'vni', vni: vni as Vni })),
      ];
      const allocator = new Allocator(desk.view);
      given(allocator, at);
      const holds: { readonly takes: readonly Take[]; readonly release: () => void }[] = [];
      for (const act of all) {
        if (act.do === 'claim') at.claim(act.ip, act.claim);
        else if (act.do === 'mac') at.claimMac(macs[act.n] as Mac, act.isClaimed);
        else if (act.do === 'vni') at.claimVni(vnis[2 + act.n] as Vni, act.isClaimed);
        else if (act.do === 'hold') {
          const held = act.takes.flatMap((n) => takes[n] ?? []);
          holds.push({ takes: held, release: allocator.hold(held) });
        } else {
          const [hold] = holds.splice(act.n, 1);
          hold?.release();
          hold?.release(); // a second call changes nothing
        }
        const fresh = new Allocator(desk.view);
        for (const hold of holds) fresh.hold(hold.takes);
        expect(given(allocator, at)).toEqual(given(fresh, at));
      }
    }),
  );
});

test('what a proposal in flight takes is not given automatically, until the proposal ends without a claim', () => {
  const at = world();
  const [ip = Ip('::')] = ips;
  const allocator = new Allocator(at.desk.view);
  const hold = (): (() => void) =>
    allocator.hold([
      { kind: 'addr', network: at.network.id, ip },
      { kind: 'mac', network: at.network.id, mac: macs[0] as Mac },
      { kind: 'vni', vni: 4097 as Vni },
    ]);
  const free = given(allocator, at);
  const [first, second] = [hold(), hold()];
  first();
  expect([given(allocator, at).free, allocator.nextVni(), given(allocator, at).macs]).toEqual([
    ips.slice(1),
    4098,
    [macs[0]],
  ]);
  at.claim(ip, claims[0]);
  second();
  expect(given(allocator, at).free).toEqual(ips.slice(1));
  at.claim(ip, undefined);
  expect(given(allocator, at)).toEqual(free);
  expect(allocator.nextVni()).toBe(4097);
});

test('what a proposal in flight takes in one network is free in another', () => {
  const at = world();
  const other = { ...at.network, id: 'ffffffffffffffff' as NetworkId };
  const allocator = new Allocator(at.desk.view);
  allocator.hold([{ kind: 'addr', network: at.network.id, ip: ips[0] as Ip }]);
  expect(allocator.subnetsOf(at.network)[0]?.isTaken(ips[0] as Ip)).toBe(true);
  expect(allocator.subnetsOf(other)[0]?.isTaken(ips[0] as Ip)).toBe(false);
});

test('a network that changes its subnets is counted anew; the same subnets are counted once', () => {
  const at = world();
  const allocator = new Allocator(at.desk.view);
  at.claim(ips[0] as Ip, claims[0]);
  const subnets = allocator.subnetsOf(at.network);
  expect(allocator.subnetsOf({ ...at.network, subnets: structuredClone(at.network.subnets) })).toBe(subnets);
  const [four] = allocator.subnetsOf({ ...at.network, subnets: at.network.subnets.slice(0, 1) });
  expect([four === subnets[0], four?.use.used]).toEqual([false, 1n]);
});
