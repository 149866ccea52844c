import { type EndpointId, Ip, type Name, type Network, type NetworkId, Prefix, Vni } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Claim } from '../store/records/claim.ts';
import { records } from '../store/records/index.ts';
import type { VniClaim } from '../store/records/vni-claim.ts';
import type { Write } from '../store/store.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { scriptNode } from '../testing/view-script.ts';
import { type ClaimFault, type Faults, findFaults, repairClaims } from './check.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { deleteNetwork } from './delete-network.ts';
import { registerNode } from './register-node.ts';
import { releaseEndpoint } from './release-endpoint.ts';
import { reserveAddress } from './reservations.ts';

const host = scriptNode(1);
const none = { duplicates: [], orphans: [], missing: [] };
let desk: PlanHarness;
let blue: Network;
let six: Network;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(1));
  desk.make(registerNode(host));
  const [prefix, aux] = [Prefix('10.66.0.0/24'), { dns: Ip('10.66.0.53') }];
  const request = plainNetwork('blue' as Name, [prefix]);
  blue = desk.make(createNetwork({ ...request, subnets: [{ prefix, auxAddresses: aux }] }));
  six = desk.make(createNetwork(plainNetwork('six' as Name, [Prefix('fd66::/64')])));
});

const attach = (name: string, network = 'blue') =>
  desk.make(claimEndpoint({ network, node: host.id, addresses: [], name: name as Name }));
const faults = () => findFaults(desk.view, desk.keys);
const only = (isSelected: (fault: ClaimFault) => boolean): Faults => {
  const { duplicates, orphans, missing } = faults();
  return {
    duplicates: duplicates.filter(isSelected),
    orphans: orphans.filter(isSelected),
    missing: missing.filter(isSelected),
  };
};
const addresses = () => only(({ subject }) => 'address' in subject);
const addressOf = ({ subject }: ClaimFault): string => ('address' in subject ? subject.address : '');
const damage = (...writes: readonly Write[]): void =>
  desk.write({ compares: [], writes, takes: [], events: [], reply: undefined });
const claim = (address: string): string => desk.keys.address(blue.id, Ip(address));
const repair = (network: Network, ...addresses: string[]): number =>
  desk.make(
    repairClaims(
      network.id,
      addresses.map((address) => ({ subject: { address: address as Ip } })),
    ),
  );

describe('claims and their holders', () => {
  test('agree after anything that goes through plans', () => {
    expect(faults()).toEqual(none);
    const { id } = attach('a');
    attach('b');
    attach('c', 'six');
    desk.make(releaseEndpoint({ endpoint: id, node: host.id, reason: 'asked' }));
    desk.make(reserveAddress({ network: 'blue', purpose: 'printer' }));
    expect(faults()).toEqual(none);
  });

  test('an orphan: its endpoint is gone, or has another address', () => {
    const { id } = attach('a');
    const ghost = records.address.codec.encode({
      kind: 'endpoint',
      endpoint: 'e0000000000000ff' as EndpointId,
      asked: false,
    });
    const moved = records.address.codec.encode({ kind: 'endpoint', endpoint: id, asked: false });
    damage(
      { kind: 'put', key: claim('10.66.0.8'), value: ghost },
      { kind: 'put', key: claim('10.66.0.9'), value: moved },
    );
    expect(faults()).toMatchObject({
      ...none,
      orphans: [
        { network: blue.id, subject: { address: '10.66.0.8' }, holders: ['endpoint e0000000000000ff'] },
        { network: blue.id, subject: { address: '10.66.0.9' }, holders: [`endpoint ${id}`] },
      ],
    });
    expect(repair(blue, '10.66.0.8', '10.66.0.9')).toBe(2);
    expect(faults()).toEqual(none);
    expect(desk.view.addressesOf(blue.id).has(Ip('10.66.0.2'))).toBe(true);
  });

  test('missing: of an endpoint, a gateway, an auxiliary address, an Ethernet address', () => {
    const a = attach('a');
    const c = attach('c', 'six');
    damage(...['10.66.0.1', '10.66.0.2', '10.66.0.53'].map((ip): Write => ({ kind: 'delete', key: claim(ip) })), {
      kind: 'delete',
      key: desk.keys.mac(six.id, c.mac),
    });
    expect(faults().missing.map((fault) => [addressOf(fault), ...fault.holders])).toEqual([
      ['10.66.0.1', 'gateway'],
      ['10.66.0.53', 'auxiliary address "dns"'],
      ['10.66.0.2', `endpoint "a" (${a.id})`],
      [c.mac, `endpoint "c" (${c.id})`],
    ]);
    expect(repair(blue, '10.66.0.1', '10.66.0.2', '10.66.0.53') + repair(six, c.mac)).toBe(4);
    expect(faults()).toEqual(none);
  });

  test('missing: the claim is in other hands', () => {
    attach('a');
    damage({
      kind: 'put',
      key: claim('10.66.0.2'),
      value: records.address.codec.encode({ kind: 'reservation', purpose: 'printer' }),
    });
    expect(faults().missing).toMatchObject([{ subject: { address: '10.66.0.2' } }]);
    repair(blue, '10.66.0.2');
    expect(faults()).toEqual(none);
  });

  test.each<[string, address: string, Claim]>([
    ['an auxiliary address, by another name', '10.66.0.53', { kind: 'aux', name: 'ntp' }],
    ['an auxiliary address, by a gateway', '10.66.0.53', { kind: 'gateway' }],
    ['a gateway, by an auxiliary address', '10.66.0.1', { kind: 'aux', name: 'dns' }],
    [
      'a gateway, by an endpoint',
      '10.66.0.1',
      { kind: 'endpoint', endpoint: 'e0000000000000ff' as EndpointId, asked: false },
    ],
    ["an endpoint's address, by a gateway", '10.66.0.2', { kind: 'gateway' }],
    [
      "an endpoint's address, by another endpoint",
      '10.66.0.2',
      { kind: 'endpoint', endpoint: 'e0000000000000ff' as EndpointId, asked: false },
    ],
  ])('missing: the claim of %s', (_, address, other) => {
    attach('a');
    const [right] = [desk.view.addressesOf(blue.id).get(Ip(address))?.claim];
    damage({ kind: 'put', key: claim(address), value: records.address.codec.encode(other) });
    expect(faults()).toMatchObject({ ...none, missing: [{ subject: { address } }] });
    expect(repair(blue, address)).toBe(1);
    expect(faults()).toEqual(none);
    expect(desk.view.addressesOf(blue.id).get(Ip(address))?.claim).toEqual(right);
  });

  test('agree in networks without a gateway, and of both families', () => {
    desk.make(createNetwork(plainNetwork('in', ['10.9.0.0/24'], { internal: true })));
    desk.make(createNetwork(plainNetwork('both', ['10.8.0.0/24', 'fd08::/64'])));
    for (const network of ['in', 'both']) attach('a', network);
    expect(faults()).toEqual(none);
  });

  test('a VNI that is repaired was not asked for, as far as is known', () => {
    damage({ kind: 'delete', key: desk.keys.vni(blue.vni) });
    desk.make(repairClaims(blue.id, [{ subject: { vni: blue.vni } }]));
    expect(desk.view.vnis.get(blue.vni)?.claim).toEqual({ kind: 'network', network: blue.id, asked: false });
  });

  test('a duplicate is reported and left as it is: the right owner is unknown', () => {
    const a = attach('a');
    const twin = { ...a, id: 'e0000000000000aa' as EndpointId, name: 'twin' as Name };
    damage({ kind: 'put', key: desk.keys.endpoint(blue.id, twin.id), value: records.endpoint.codec.encode(twin) });
    const expected = {
      ...none,
      duplicates: [
        { subject: { address: '10.66.0.2' }, holders: [`endpoint "a" (${a.id})`, `endpoint "twin" (${twin.id})`] },
      ],
    };
    expect(faults()).toMatchObject(expected);
    expect(repair(blue, '10.66.0.2')).toBe(0);
    expect(faults()).toMatchObject(expected);
  });

  test('a repair compares what it depends on: the network, the records, and the claims as they are', () => {
    const a = attach('a');
    damage({ kind: 'delete', key: claim('10.66.0.2') });
    const ghost = { kind: 'endpoint', endpoint: 'e0000000000000ff' as EndpointId, asked: false } as const;
    damage({ kind: 'put', key: claim('10.66.0.8'), value: records.address.codec.encode(ghost) });
    const { view, keys } = desk;
    const { compares } = repairClaims(blue.id, faults().missing.concat(faults().orphans)).plan(desk);
    const of = (key: string, modRevision = 0n) => ({ kind: 'unchanged', key, modRevision });
    expect(compares).toEqual([
      of(keys.endpoint(blue.id, a.id), view.endpoint(a.id)?.revision),
      of(keys.network(blue.id), view.networks.get(blue.id)?.revision),
      { kind: 'absent', key: claim('10.66.0.2') },
      of(claim('10.66.0.8'), view.revision),
    ]);
  });

  test('a repair reports each claim that it deletes or creates, and nothing when no claim is wrong', () => {
    const a = attach('a');
    const printer = { kind: 'reservation', purpose: 'printer' } as const;
    const ghost = { kind: 'endpoint', endpoint: 'e0000000000000ff' as EndpointId, asked: false } as const;
    damage(
      { kind: 'delete', key: claim('10.66.0.1') },
      { kind: 'put', key: claim('10.66.0.2'), value: records.address.codec.encode(printer) },
      { kind: 'put', key: claim('10.66.0.8'), value: records.address.codec.encode(ghost) },
    );
    const all = ['10.66.0.1', '10.66.0.2', '10.66.0.8'].map((address) => ({ subject: { address: Ip(address) } }));
    const repaired = repairClaims(blue.id, all);
    expect(repaired.plan(desk).events.map(({ message }) => message)).toEqual([
      'claims of network blue repaired: 10.66.0.1 given to gateway, ' +
        `10.66.0.2 taken from reservation "printer" and given to endpoint "a" (${a.id}), ` +
        '10.66.0.8 taken from endpoint e0000000000000ff',
    ]);
    desk.make(repaired);
    expect(repaired.plan(desk)).toMatchObject({ writes: [], events: [], reply: 0 });
  });

  test('agree with a claim that only a later version knows: such a claim needs no record', () => {
    damage({ kind: 'put', key: claim('10.66.0.8'), value: new TextEncoder().encode('{"lent":"elsewhere"}') });
    expect(desk.view.addressesOf(blue.id).get(Ip('10.66.0.8'))?.claim.kind).toBe('unknown');
    expect(faults()).toEqual(none);
  });

  test('of a network that is gone every claim is an orphan', () => {
    desk.make(reserveAddress({ network: 'six', purpose: 'printer' }));
    damage({ kind: 'delete', key: desk.keys.network(six.id) });
    expect(addresses().orphans.map(addressOf)).toEqual(['fd66::1', 'fd66::2', '02:43:00:00:00:01']);
    repair(six, 'fd66::1', 'fd66::2', '02:43:00:00:00:01');
    expect(addresses()).toEqual(none);
  });
});

describe('VNIs and their networks', () => {
  const vnis = () => only(({ subject }) => 'vni' in subject);
  const repairAll = (): void => {
    const { orphans, missing } = vnis();
    for (const fault of [...orphans, ...missing]) desk.make(repairClaims(fault.network, [fault]));
  };
  const put = (vni: number, claim: VniClaim): void =>
    damage({ kind: 'put', key: desk.keys.vni(Vni(vni)), value: records.vni.codec.encode(claim) });

  test('agree after anything that goes through plans', () => {
    expect(vnis()).toEqual(none);
    desk.make(deleteNetwork({ network: 'six', force: false }));
    expect(vnis()).toEqual(none);
  });

  test('an orphan: its network is gone, or has another VNI', () => {
    put(9_000, { kind: 'network', network: 'b0000000000000ff' as NetworkId, asked: false });
    put(9_001, { kind: 'network', network: blue.id, asked: true });
    expect(vnis()).toEqual({
      ...none,
      orphans: [
        { subject: { vni: 9_000 }, network: 'b0000000000000ff', holders: ['network b0000000000000ff'] },
        { subject: { vni: 9_001 }, network: blue.id, holders: [`network ${blue.id}`] },
      ],
    });
    repairAll();
    expect(vnis()).toEqual(none);
  });

  test('missing: not claimed, or in other hands', () => {
    damage({ kind: 'delete', key: desk.keys.vni(blue.vni) });
    put(six.vni, { kind: 'cooling', network: blue.id, name: blue.name, asked: false });
    expect(vnis().missing).toEqual([
      { subject: { vni: blue.vni }, network: blue.id, holders: [`network "blue" (${blue.id})`] },
      { subject: { vni: six.vni }, network: six.id, holders: [`network "six" (${six.id})`] },
    ]);
    repairAll();
    expect(vnis()).toEqual(none);
  });

  test('a duplicate is reported and left as it is', () => {
    const twin = { ...blue, id: 'b0000000000000aa' as NetworkId, name: 'twin' as Name };
    damage({ kind: 'put', key: desk.keys.network(twin.id), value: records.network.codec.encode(twin) });
    expect(vnis().duplicates).toMatchObject([{ subject: { vni: blue.vni }, network: blue.id }]);
    expect(desk.make(repairClaims(blue.id, [{ subject: { vni: blue.vni } }]))).toBe(0);
    expect(vnis().duplicates).toHaveLength(1);
  });
});
