import { addressOf, type EndpointId, Ip, Mac, type Name } from '@causeway/model';
import { ClaimEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Allocator } from '../ipam/allocator.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused, type Refused, refusal } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { type ClaimEndpoint, claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { readClaimEndpoint } from './endpoint-requests.ts';
import { registerNode } from './register-node.ts';
import { releaseEndpoint } from './release-endpoint.ts';

const h1 = scriptNode(1);
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  desk.make(registerNode(h1));
});

const attach = (network: string, name: string, addresses: readonly string[] = []) =>
  desk.make(claimEndpoint({ network, name: name as Name, node: h1.id, addresses: addresses.map(Ip) }));
const claim = (message: Partial<ClaimEndpointRequest>) => {
  const request = ClaimEndpointRequest.create({ network: 'blue', name: 'new', nodeId: h1.id, ...message });
  return desk.make(claimEndpoint(readClaimEndpoint(request)));
};

describe('an endpoint is refused', () => {
  test.each<Refused<Partial<ClaimEndpointRequest>>>([
    ['unknown network', { network: 'grey' }, 'network-unknown', /network "grey"/],
    ['no network', { network: '' }, 'invalid-argument', /network is empty/],
    ['unknown node', { nodeId: '00000000000000ff' }, 'node-unknown', /00000000000000ff/],
    ['node id malformed', { nodeId: 'h1' }, 'invalid-argument', /node_id/],
    ['name taken', { name: 'web' }, 'name-taken', /name "web".*"blue" on h1/],
    ['label key', { labels: { 'a b': '' } }, 'invalid-argument', /label key "a b"/],
    ['address in use', { addresses: ['10.66.0.2'] }, 'address-in-use', /10\.66\.0\.2 is in use by endpoint "web"/],
    ['address outside', { addresses: ['10.67.0.2'] }, 'address-outside', /10\.67\.0\.2.*10\.66\.0\.0\/24, fd66::\/64/],
    ['network address', { addresses: ['10.66.0.0'] }, 'address-reserved', /network address/],
    ['broadcast address', { addresses: ['10.66.0.255'] }, 'address-reserved', /broadcast/],
    ['gateway', { addresses: ['fd66::1'] }, 'address-reserved', /gateway/],
    [
      'two of a family',
      { addresses: ['10.66.0.8', '10.66.0.9'] },
      'invalid-argument',
      /addresses: 10\.66\.0\.8 and 10\.66\.0\.9 are both IPv4/,
    ],
    ['address malformed', { addresses: ['10.66.0'] }, 'address-invalid', /addresses\[0\]/],
  ])('%s', (_name, message, code, says) => {
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24', 'fd66::/64'])));
    attach('blue', 'web');
    expectRefused(desk, () => claim(message), code, says);
  });
});

test('labels are kept, and none is none', () => {
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])));
  claim({ name: 'db', labels: { tier: 'data', app: 'shop' } });
  claim({ name: 'web' });
  expect(desk.view.findEndpoint('db').value.labels).toEqual({ app: 'shop', tier: 'data' });
  expect('labels' in desk.view.findEndpoint('web').value).toBe(false);
});

test('IPv6 takes the host number of the IPv4 address', () => {
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16', 'fd66::/64'])));
  expect(attach('blue', 'a')).toMatchObject({ addresses: ['10.66.0.2/16', 'fd66::2/64'], mac: '02:42:0a:42:00:02' });
  expect(attach('blue', 'b', ['10.66.1.9']).addresses).toEqual(['10.66.1.9/16', 'fd66::109/64']);
  expect(attach('blue', 'c', ['fd66::3']).addresses).toEqual(['10.66.0.3/16', 'fd66::3/64']);
  expect(attach('blue', 'd', ['fd66::5']).addresses).toEqual(['10.66.0.4/16', 'fd66::5/64']);
  expect(attach('blue', 'e').addresses).toEqual(['10.66.0.5/16', 'fd66::4/64']);
});

test('the first subnet with room; full, it says how full', () => {
  desk.make(createNetwork(plainNetwork('tiny', ['10.1.0.0/31', '10.2.0.0/30'])));
  expect(attach('tiny', 'a').addresses).toEqual(['10.1.0.1/31']);
  expect(attach('tiny', 'b').addresses).toEqual(['10.2.0.2/30']);
  const full = refusal(() => attach('tiny', 'c'));
  expect(full.code).toBe('address-exhausted');
  expect(full.message).toContain('2 of 2 in use, 0 reserved, 0 cooling in 10.1.0.0/31, 10.2.0.0/30');
});

test('a released address cools: only an endpoint of the same name gets it', () => {
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/29', 'fd66::/64'])));
  const first = attach('blue', 'a');
  attach('blue', 'b');
  desk.make(releaseEndpoint({ endpoint: first.id, node: h1.id, reason: 'asked' }));
  expect(attach('blue', 'c').addresses).toEqual(['10.66.0.4/29', 'fd66::4/64']);
  expect(refusal(() => attach('blue', 'd', ['10.66.0.2'])).message).toMatch(/10\.66\.0\.2 is cooling.*"a" had it/);
  attach('blue', 'd');
  attach('blue', 'e');
  const full = refusal(() => attach('blue', 'f'));
  expect(full.message).toContain('4 of 5 in use, 0 reserved, 1 cooling in 10.66.0.0/29');
  expect(full.data).toMatchObject({ size: '5', used: '4', reserved: '0', cooling: '1' });
  expect(attach('blue', 'a').addresses).toEqual(first.addresses);
});

test('goes on after the newest choice, also on a manager that begins to lead', () => {
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/29'])));
  attach('blue', 'a');
  attach('blue', 'b');
  attach('blue', 'asked', ['10.66.0.6']);
  expect(attach('blue', 'c').addresses).toEqual(['10.66.0.4/29']);
  const successor = claimEndpoint({ network: 'blue', node: h1.id, addresses: [], name: 'd' as Name }).plan({
    ...desk,
    allocator: new Allocator(desk.view),
  });
  expect(successor.reply.addresses).toEqual(['10.66.0.5/29']);
});

test('without IPv4 two addresses with the same last four bytes never meet', () => {
  desk.make(createNetwork(plainNetwork('six', ['fd66::/64'])));
  expect(attach('six', 'a', ['fd66::1:0:2'])).toMatchObject({ mac: Mac('02:43:00:00:00:02') });
  expect(refusal(() => attach('six', 'b', ['fd66::2:0:2'])).message).toMatch(
    /02:43:00:00:00:02, which endpoint "a".* has/,
  );
  expect(refusal(() => attach('six', 'b', ['fd66::2:0:1'])).message).toMatch(/the gateway/);
  expect(attach('six', 'b').addresses).toEqual(['fd66::3/64']);
});

test('writes in flight influence automatic choices, and refuse no call', () => {
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16'])));
  const request = { network: 'blue', node: h1.id, addresses: [] };
  const first = claimEndpoint({ ...request, name: 'a' as Name }).plan(desk);
  const release = desk.allocator.hold(first.takes);
  const second = claimEndpoint({ ...request, name: 'b' as Name }).plan(desk);
  expect(second.reply.addresses).toEqual(['10.66.0.3/16']);
  const wish = claimEndpoint({ ...request, name: 'c' as Name, addresses: [Ip('10.66.0.2')] }).plan(desk);
  expect(wish.reply.addresses).toEqual(['10.66.0.2/16']);
  release();
  expect(claimEndpoint({ ...request, name: 'd' as Name }).plan(desk).reply.addresses).toEqual(['10.66.0.2/16']);
  desk.write(first);
  const held = desk.allocator.hold(first.takes);
  held();
  expect(addressOf(attach('blue', 'e').addresses[0] ?? expect.fail())).toBe('10.66.0.3');
});

describe('an endpoint that its host had before a restore', () => {
  const former = 'e0000000000000aa' as EndpointId;
  const again = (over: Partial<ClaimEndpoint> = {}) =>
    claimEndpoint({ network: 'blue', name: 'web' as Name, node: h1.id, addresses: [Ip('10.66.0.7')], former, ...over });

  beforeEach(() => {
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])));
    desk.make(createNetwork(plainNetwork('red', ['10.67.0.0/24'])));
    desk.make(registerNode(scriptNode(2)));
  });

  test('gets its id and its addresses back, if no record has the id', () => {
    const { compares, reply } = again().plan(desk);
    expect(reply).toMatchObject({ id: former, addresses: ['10.66.0.7/24'] });
    expect(compares).toContainEqual({ kind: 'absent', key: desk.keys.endpoint(reply.network, former) });
    desk.make(again());
    expect(claimOf('10.66.0.7')).toEqual({ kind: 'endpoint', endpoint: former, asked: false });
  });

  test('is there already: nothing is written, and the reply names the revision since which it is there', () => {
    const made = desk.make(again());
    expect(again().plan(desk)).toMatchObject({ writes: [], reply: made, since: desk.view.endpoint(former)?.revision });
  });

  test.each<[string, Partial<ClaimEndpoint>]>([
    ['name', { name: 'db' as Name }],
    ['host', { node: scriptNode(2).id }],
    ['network', { network: 'red', addresses: [Ip('10.67.0.7')] }],
  ])('is refused when the id has another %s', (_, over) => {
    desk.make(again());
    expectRefused(desk, () => desk.make(again(over)), 'endpoint-exists', /endpoint_id e0000000000000aa belongs to/);
  });
});

const claimOf = (ip: string) => desk.view.addressesOf(desk.view.findNetwork('blue').value.id).get(Ip(ip))?.claim;

test('a claim says whether the address was asked for; an IPv6 address that follows an asked IPv4 address counts', () => {
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16', 'fd66::/64'])));
  attach('blue', 'a');
  attach('blue', 'b', ['10.66.1.9']);
  attach('blue', 'c', ['fd66::77']);
  const asked = (ip: string) => {
    const claim = claimOf(ip);
    return claim?.kind === 'endpoint' && claim.asked;
  };
  expect(['10.66.0.2', 'fd66::2', '10.66.1.9', 'fd66::109', 'fd66::77'].map(asked)).toEqual([
    false,
    false,
    true,
    true,
    true,
  ]);
  expect(asked('10.66.0.3')).toBe(false);
});

test('what is compared: network, host, name, and each claim, which is absent or cools under the same name', () => {
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])));
  const { view, keys } = desk;
  const { id, revision } = { ...view.findNetwork('blue'), id: view.findNetwork('blue').value.id };
  const key = keys.address(id, Ip('10.66.0.2'));
  const common = [
    { kind: 'unchanged', key: keys.network(id), modRevision: revision },
    { kind: 'unchanged', key: keys.node(h1.id), modRevision: view.findNode('h1').revision },
    { kind: 'absent', key: keys.endpointName(id, 'web' as Name) },
  ];
  const request = claimEndpoint({ network: 'blue', name: 'web' as Name, node: h1.id, addresses: [Ip('10.66.0.2')] });
  expect(request.plan(desk).compares).toEqual([...common, { kind: 'absent', key }]);
  desk.make(releaseEndpoint({ endpoint: desk.make(request).id, node: h1.id, reason: 'asked' }));
  const cooling = { kind: 'unchanged', key, modRevision: desk.view.revision };
  expect(request.plan(desk).compares).toEqual([...common, cooling]);
});

test('a MAC address is claimed only without IPv4, and never as asked for', () => {
  const six = desk.make(createNetwork(plainNetwork('six', ['fd66::/64']))).id;
  const both = desk.make(createNetwork(plainNetwork('both', ['10.66.0.0/24', 'fd67::/64']))).id;
  const { id, mac } = attach('six', 'a', ['fd66::9']);
  attach('both', 'a');
  expect(desk.view.macsOf(six).get(mac)?.claim).toEqual({ kind: 'endpoint', endpoint: id, asked: false });
  expect([...desk.view.macsOf(both).values()].filter(({ claim }) => claim.kind === 'endpoint')).toEqual([]);
});
