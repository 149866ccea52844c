import { Ip, type Name } from '@causeway/model';
import { UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { evictEndpoint } from '../api/evict-network.ts';
import { records } from '../store/records/index.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused, type Refused, refusal } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { deleteNetwork } from './delete-network.ts';
import { readUpdateNetwork } from './network-requests.ts';
import { registerNode } from './register-node.ts';
import { updateNetwork } from './update-network.ts';

const h1 = scriptNode(1);
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(3));
  desk.make(registerNode(h1));
  desk.make(createNetwork(plainNetwork('blue', ['10.1.0.0/24', 'fd01::/64'], { labels: { tier: 'web', team: 'a' } })));
  desk.make(createNetwork(plainNetwork('red', ['10.9.0.0/24'])));
});

const asked = (message: Partial<UpdateNetworkRequest>) =>
  updateNetwork(readUpdateNetwork(UpdateNetworkRequest.create({ network: 'blue', ...message })));
const update = (message: Partial<UpdateNetworkRequest>) => desk.make(asked(message));
const blue = () => desk.view.findNetwork('blue');
const attach = (name: string, addresses: readonly string[] = [], network = 'blue') =>
  desk.make(claimEndpoint({ network, name: name as Name, node: h1.id, addresses: addresses.map(Ip) }));
const added = (prefix: string, over: Partial<Subnet> = {}) => ({ addSubnets: [Subnet.create({ prefix, ...over })] });

/** A change of so many subnets. */
const many = (add: number, remove: number): Partial<UpdateNetworkRequest> => ({
  addSubnets: Array.from({ length: add }, (_, i) => Subnet.create({ prefix: `10.${100 + i}.0.0/24` })),
  removeSubnets: Array.from({ length: remove }, (_, i) => `10.${200 + i}.0.0/24`),
});

function reserve(ip: string): void {
  const value = records.address.codec.encode({ kind: 'reservation', purpose: 'printer' });
  const key = desk.keys.address(blue().value.id, Ip(ip));
  desk.write({ compares: [], takes: [], events: [], reply: undefined, writes: [{ kind: 'put', key, value }] });
}

describe('an update', () => {
  test('of labels leaves the others', () => {
    expect(update({ setLabels: { tier: 'db', zone: 'x' }, removeLabels: ['team', 'none'] }).labels).toEqual({
      tier: 'db',
      zone: 'x',
    });
  });

  test.each<[string, Partial<UpdateNetworkRequest>]>([
    ['labels it has', { setLabels: { tier: 'web' }, removeLabels: ['none'] }],
    ['its own name', { name: 'blue' }],
    ['the MTU it follows', { mtuAutomatic: true }],
  ])('to %s writes nothing, and is at the revision it was', (_what, message) => {
    const { revision } = blue();
    expect(asked(message).plan(desk)).toMatchObject({ writes: [], events: [], since: revision });
  });

  test('of the name swaps the claim: the old one can be had, the new one not', () => {
    const { id } = blue().value;
    const { writes } = asked({ name: 'green' }).plan(desk);
    expect(writes.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      `put ${desk.keys.network(id)}`,
      `put ${desk.keys.networkName('green' as Name)}`,
      `delete ${desk.keys.networkName('blue' as Name)}`,
    ]);
    update({ name: 'green' });
    expect(desk.view.findNetwork('green').value.id).toBe(id);
    desk.make(createNetwork(plainNetwork('blue', ['10.8.0.0/24'])));
  });

  test('adds a subnet that endpoints are given from when the first is full, and removes it when they are gone', () => {
    desk.make(createNetwork(plainNetwork('tiny', ['10.7.0.0/30'])));
    attach('a', [], 'tiny');
    const made = update({ network: 'tiny', ...added('10.7.1.0/30') });
    expect(made.subnets).toEqual([
      { prefix: '10.7.0.0/30', gateway: '10.7.0.1' },
      { prefix: '10.7.1.0/30', gateway: '10.7.1.1' },
    ]);
    const second = attach('b', [], 'tiny');
    expect(second.addresses).toEqual(['10.7.1.2/30']);
    expect(refusal(() => update({ network: 'tiny', removeSubnets: ['10.7.1.0/30'] })).message).toContain('b on h1');
    desk.make(evictEndpoint(second.id));
    update({ network: 'tiny', removeSubnets: ['10.7.1.0/30'] });
    desk.make(createNetwork(plainNetwork('next', ['10.7.1.0/24'])));
  });

  test('watches what others may do at the same time', () => {
    const { id } = blue().value;
    const since = desk.view.revision;
    expect(asked(added('10.2.0.0/24')).plan(desk).compares).toContainEqual({
      kind: 'quiet',
      prefix: desk.keys.under('pool', 'default' as Name),
      since,
    });
    expect(asked({ removeSubnets: ['fd01::/64'] }).plan(desk).compares).toContainEqual({
      kind: 'quiet',
      prefix: desk.keys.under('address', id),
      since,
    });
  });

  test('may replace a subnet by a larger one', () => {
    update({ ...added('10.1.0.0/16', { auxAddresses: { dns: '10.1.0.1' } }), removeSubnets: ['10.1.0.0/24'] });
    expect(desk.view.addressesOf(blue().value.id).get(Ip('10.1.0.1'))?.claim).toEqual({ kind: 'aux', name: 'dns' });
    expect(attach('a').addresses).toEqual(['10.1.0.3/16', 'fd01::3/64']);
  });

  test('without IPv4 the gateways of two subnets may share an Ethernet address', () => {
    desk.make(createNetwork(plainNetwork('six', ['fd06::/64'])));
    update({ network: 'six', ...added('fd07::/64') });
    update({ network: 'six', removeSubnets: ['fd06::/64'] });
    const { id } = desk.view.findNetwork('six').value;
    expect([...desk.view.macsOf(id).keys()]).toEqual(['02:43:00:00:00:01']);
    attach('a', ['fd07::1:0:9'], 'six');
    expect(refusal(() => update({ network: 'six', ...added('fd08::/64', { gateway: 'fd08::9' }) }))).toMatchObject({
      code: 'address-in-use',
    });
  });

  test('adds subnets without gateways but where one is named', () => {
    const addSubnets = ['10.2.0.0/24', '10.3.0.0/24'].map((prefix) => Subnet.create({ prefix }));
    const named = { ...addSubnets[1], gateway: '10.3.0.9' } as Subnet;
    expect(update({ addSubnets: [...addSubnets.slice(0, 1), named], noGateway: true }).subnets.slice(2)).toEqual([
      { prefix: '10.2.0.0/24' },
      { prefix: '10.3.0.0/24', gateway: '10.3.0.9' },
    ]);
  });

  test('grows ranges only by what has an address for endpoints: the gateway alone is none', () => {
    update(added('10.2.0.0/24', { ranges: ['10.2.0.128/26'] }));
    expectRefused(desk, () => update({ addRanges: ['10.2.0.1/32'] }), 'range-empty', /add_ranges\[0\] 10\.2\.0\.1\/32/);
    update({ ...added('10.3.0.0/24', { ranges: ['10.3.0.128/26'] }), noGateway: true });
    expect(update({ addRanges: ['10.3.0.1/32'] }).subnets.at(-1)?.ranges).toEqual(['10.3.0.128/26', '10.3.0.1/32']);
  });

  test('may give a new subnet the gateway and the auxiliary addresses of the subnet that it replaces', () => {
    const aux = { auxAddresses: { dns: '10.2.0.53' }, gateway: '10.2.0.1' };
    update(added('10.2.0.0/24', aux));
    const { subnets } = update({ ...added('10.2.0.0/25', aux), removeSubnets: ['10.2.0.0/24'] });
    expect(subnets.map(({ prefix }) => prefix)).toEqual(['10.1.0.0/24', 'fd01::/64', '10.2.0.0/25']);
  });

  test('grows ranges: one takes in those that lie in it', () => {
    update(added('10.2.0.0/24', { ranges: ['10.2.0.32/28', '10.2.0.128/26'] }));
    expect(update({ addRanges: ['10.2.0.32/27'] }).subnets[2]?.ranges).toEqual(['10.2.0.128/26', '10.2.0.32/27']);
  });

  test('of the MTU: fixed, and automatic again', () => {
    expect(update({ mtu: 1400 }).mtu).toEqual({ kind: 'fixed', bytes: 1400, highest: 1450 });
    expect(update({ mtuAutomatic: true }).mtu).toEqual({ kind: 'automatic', bytes: 1450 });
  });

  test('that brings IPv6 makes an automatic MTU large enough for it', () => {
    desk.make(createNetwork(plainNetwork('four', ['10.4.0.0/24'])));
    desk.make(registerNode(scriptNode(2, '192.0.2.2', 1200)));
    desk.make(createNetwork(plainNetwork('small', ['10.5.0.0/24'])));
    expect(update({ network: 'small', ...added('fd05::/64') }).mtu).toEqual({ kind: 'automatic', bytes: 1280 });
  });

  test('of an internal network gives no gateway', () => {
    desk.make(createNetwork(plainNetwork('in', ['10.4.0.0/24'], { internal: true })));
    expect(update({ network: 'in', ...added('10.5.0.0/24') }).subnets[1]).toEqual({ prefix: '10.5.0.0/24' });
  });

  test('based on another revision is refused with the network as it is', () => {
    const { revision } = blue();
    update({ ifRevision: revision, setLabels: { a: 'b' } });
    const error = refusal(() => update({ ifRevision: revision, setLabels: { a: 'c' } }));
    expect(error).toMatchObject({ code: 'revision-conflict', data: { revision: `${blue().revision}` } });
    expect(JSON.parse(String(error.data['current']))).toMatchObject({ name: 'blue', labels: { a: 'b' } });
    const remove = deleteNetwork({ network: 'blue', ifRevision: revision, force: false });
    expect(refusal(() => desk.make(remove)).code).toBe('revision-conflict');
    desk.make(deleteNetwork({ network: 'blue', ifRevision: blue().revision, force: false }));
  });

  const refusals: readonly Refused<Partial<UpdateNetworkRequest>>[] = [
    ['unknown network', { network: 'grey' }, 'network-unknown', /grey/],
    ['name taken', { name: 'red' }, 'name-taken', /network named "red"/],
    ['name like an id', { name: '0123456789abcdef' }, 'name-invalid', /has the form of an id/],
    ['label set and removed', { setLabels: { a: 'b' }, removeLabels: ['a'] }, 'invalid-argument', /label "a" is both/],
    ['label key', { setLabels: { 'a b': '' } }, 'invalid-argument', /label key "a b"/],
    [
      'overlap with own',
      added('10.1.0.128/25'),
      'subnet-overlap',
      /add_subnets\[0\].*10\.1\.0\.0\/24 of the same network/,
    ],
    ['overlap with another', added('10.9.0.0/16'), 'subnet-overlap', /add_subnets\[0\] 10\.9\.0\.0\/16.*"red"/],
    ['gateway outside', added('10.2.0.0/24', { gateway: '10.3.0.1' }), 'gateway-outside', /add_subnets\[0\]\.gateway/],
    [
      'subnet unknown',
      { removeSubnets: ['10.2.0.0/24'] },
      'subnet-unknown',
      /remove_subnets\[0\].*10\.1\.0\.0\/24, fd01::\/64/,
    ],
    ['no subnet left', { removeSubnets: ['10.1.0.0/24', 'fd01::/64'] }, 'subnet-missing', /at least one/],
    ['range outside', { addRanges: ['10.2.0.0/25'] }, 'range-outside', /add_ranges\[0\] 10\.2\.0\.0\/25/],
    [
      'range of a subnet that goes',
      { addRanges: ['10.1.0.0/25'], removeSubnets: ['10.1.0.0/24'] },
      'range-outside',
      /add_ranges\[0\] 10\.1\.0\.0\/25 lies in 10\.1\.0\.0\/24, which the same request removes/,
    ],
    [
      'subnet added twice',
      { addSubnets: [...added('10.2.0.0/24').addSubnets, ...added('10.2.0.0/24').addSubnets] },
      'subnet-overlap',
      /add_subnets\[1\] 10\.2\.0\.0\/24 overlaps add_subnets\[0\]/,
    ],
    [
      'unknown subnet added and removed',
      { ...added('10.2.0.0/24'), removeSubnets: ['10.2.0.0/24'] },
      'subnet-unknown',
      /remove_subnets\[0\] 10\.2\.0\.0\/24 is both added and removed/,
    ],
    [
      'range of a subnet that comes',
      { ...added('10.2.0.0/24'), addRanges: ['10.2.0.0/25'] },
      'range-overlap',
      /add_ranges\[0\] 10\.2\.0\.0\/25 changes nothing: .* all of 10\.2\.0\.0\/24 already/,
    ],
    ['range of a subnet without', { addRanges: ['10.1.0.0/25'] }, 'range-overlap', /all of 10\.1\.0\.0\/24 already/],
    ['mtu below IPv6', { mtu: 1279 }, 'mtu-invalid', /mtu 1279.*IPv6/],
    ['two kinds of mtu', { mtu: 1400, mtuAutomatic: true }, 'mtu-invalid', /exclude each other/],
    ['prefix malformed', { removeSubnets: ['ten'] }, 'prefix-invalid', /remove_subnets\[0\]/],
  ];
  test.each(refusals)('refused: %s', (_name, message, code, says) =>
    expectRefused(desk, () => update(message), code, says),
  );

  test('every refusal has its own message', () => {
    const messages = refusals.map(([, message]) => refusal(() => update(message)).message);
    expect(new Set(messages).size).toBe(messages.length);
  });

  test.each<[string, Partial<UpdateNetworkRequest>]>([
    ['name', { name: '0123456789abcdef' }],
    ['label', { setLabels: { 'a b': '' } }],
    ['MTU', { mtu: 67 }],
    ['number of subnets', many(17, 0)],
    ['number of subnets, removed ones included', many(9, 8)],
  ])('a wrong %s is refused before the store is asked', (_, message) => {
    expect(refusal(() => asked(message).check?.()).kind).toBe('invalid');
  });

  test('may change as many subnets at once as a transaction has room for', () => {
    expect(() => asked(many(8, 8)).check?.()).not.toThrow();
  });

  test('is refused an MTU that a host cannot carry, and a subnet with a host in it, except by force', () => {
    const [mtu, subnet] = [{ mtu: 1_451 }, added('192.0.2.0/24')];
    expectRefused(desk, () => update(mtu), 'mtu-too-large', /mtu 1451 is more than h1 carries/);
    expectRefused(desk, () => update(subnet), 'underlay-overlap', /add_subnets\[0\] 192\.0\.2\.0\/24 overlaps/);
    update({ ...mtu, ...subnet, force: true });
    expect(blue().value).toMatchObject({ mtu: { bytes: 1_451 }, subnets: [{}, {}, { prefix: '192.0.2.0/24' }] });
    // The MTU that it has already, whatever hosts carry, does not stand in the way of other changes.
    expect(update({ setLabels: { zone: 'x' } }).labels).toMatchObject({ zone: 'x' });
  });

  test('compares nothing beside what it changes', () => {
    const { id } = blue().value;
    const { revision } = blue();
    const own = { kind: 'unchanged', key: desk.keys.network(id), modRevision: revision };
    expect(asked({ setLabels: { zone: 'x' } }).plan(desk).compares).toEqual([own]);
    const green = { kind: 'absent', key: desk.keys.networkName('green' as Name) };
    expect(asked({ name: 'green' }).plan(desk).compares).toEqual([own, green]);
  });

  test('is refused a subnet whose gateway or auxiliary address still cools', () => {
    const back = () => attach('a', ['10.2.0.9']);
    update(added('10.2.0.0/24'));
    desk.make(evictEndpoint(back().id));
    update({ removeSubnets: ['10.2.0.0/24'] });
    const cooling = /add_subnets: 10\.2\.0\.9 of 10\.2\.0\.0\/24.*belongs to cooling after endpoint "a"/;
    expectRefused(desk, () => update(added('10.2.0.0/24', { gateway: '10.2.0.9' })), 'address-in-use', cooling);
    const aux = { auxAddresses: { dns: '10.2.0.9' } };
    expectRefused(desk, () => update(added('10.2.0.0/24', aux)), 'address-in-use', cooling);
    update({ ...added('10.2.0.0/24'), noGateway: true });
  });

  test('removes only the named subnet: one that stays keeps its ranges and labels their order', () => {
    update(added('10.2.0.0/24', { ranges: ['10.2.0.0/25'] }));
    expect(update({ removeSubnets: ['10.1.0.0/24'] }).subnets.map(({ prefix }) => prefix)).toEqual([
      'fd01::/64',
      '10.2.0.0/24',
    ]);
    expect(Object.keys(update({ setLabels: { alpha: '1', zeta: '2' } }).labels)).toEqual([
      'alpha',
      'team',
      'tier',
      'zeta',
    ]);
  });

  test('of anything else leaves the MTU as it is, with the highest that it had', () => {
    update({ mtu: 1_400 });
    expect(update({ setLabels: { zone: 'x' } }).mtu).toEqual({ kind: 'fixed', bytes: 1_400, highest: 1_450 });
    desk.make(registerNode(scriptNode(2, '192.0.2.2', 9_000)));
    desk.make(createNetwork(plainNetwork('four', ['10.4.0.0/24'])));
    desk.make(registerNode(scriptNode(1, '192.0.2.1', 9_000)));
    expect(update({ network: 'four', setLabels: { zone: 'x' } }).mtu).toEqual({ kind: 'automatic', bytes: 1_450 });
  });

  test('with a fixed MTU is refused an IPv6 subnet that needs more', () => {
    desk.make(createNetwork(plainNetwork('four', ['10.4.0.0/24'], { mtu: 1_000 })));
    expectRefused(desk, () => update({ network: 'four', ...added('fd04::/64') }), 'mtu-invalid', /IPv6/);
  });

  test('cannot remove a subnet with a reservation', () => {
    reserve('10.1.0.9');
    expect(refusal(() => update({ removeSubnets: ['10.1.0.0/24'] }))).toMatchObject({ code: 'subnet-in-use' });
  });
});
