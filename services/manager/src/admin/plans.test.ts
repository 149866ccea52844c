import {
  addressOf,
  CausewayError,
  type EndpointId,
  type ErrorCode,
  Ip,
  Mac,
  type Name,
  type NetworkId,
  type Node,
  type NodeId,
  Prefix,
  Vni,
} from '@causeway/model';
import { ClaimEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Allocator } from '../allocator/allocator.ts';
import { encodeVniClaim } from '../store/vni-claim.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanningDesk } from '../testing/planning-desk.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { deleteNetwork } from './delete-network.ts';
import { rehearsal } from './intent.ts';
import { readCreateNetwork } from './network-requests.ts';
import { registerNode } from './register-node.ts';
import { releaseEndpoint } from './release-endpoint.ts';
import { readClaimEndpoint } from './requests.ts';

const h1 = '00000000000000a1' as NodeId;
const h2 = '00000000000000a2' as NodeId;

function host(id: NodeId, name: string, over: Partial<Node> = {}): Node {
  return { id, name: name as Name, dataPath: Ip('192.0.2.1'), underlayMtu: 1500, version: '0.1.0', ...over };
}

let desk: PlanningDesk;

beforeEach(() => {
  desk = new PlanningDesk(new SeededRandom(7));
  desk.make(registerNode(host(h1, 'h1')));
  desk.make(registerNode(host(h2, 'h2')));
});

function attach(to: string, name: string, addresses: readonly string[] = [], node = h1) {
  return desk.make(claimEndpoint({ network: to, name: name as Name, node, addresses: addresses.map(Ip) }));
}

function refusal(attempt: () => unknown): CausewayError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof CausewayError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

interface Refused {
  readonly name: string;
  readonly attempt: () => unknown;
  readonly code: ErrorCode;
  /** What the message must say: the field or thing at fault, and what would be right. */
  readonly says: RegExp;
}

const create = (message: Partial<CreateNetworkRequest>) => () =>
  desk.make(
    createNetwork(readCreateNetwork(CreateNetworkRequest.create({ requestId: '', name: 'green', ...message }))),
  );
const subnets = (...prefixes: string[]) => ({ subnets: prefixes.map((prefix) => Subnet.create({ prefix })) });
const claim = (message: Partial<ClaimEndpointRequest>) => () =>
  desk.make(
    claimEndpoint(
      readClaimEndpoint(ClaimEndpointRequest.create({ network: 'blue', name: 'new', nodeId: h1, ...message })),
    ),
  );

const refusals: readonly Refused[] = [
  {
    name: 'host bits',
    attempt: create(subnets('10.1.0.9/16')),
    code: 'prefix-host-bits',
    says: /subnets\[0\].*10\.1\.0\.0\/16/,
  },
  {
    name: 'no prefix at all',
    attempt: create(subnets('10.1.0.0')),
    code: 'prefix-invalid',
    says: /subnets\[0\].*ADDRESS\/LENGTH/,
  },

  {
    name: 'too many subnets',
    attempt: create(subnets(...Array.from({ length: 17 }, (_, i) => `10.${i + 1}.0.0/16`))),
    code: 'invalid-argument',
    says: /subnets: 17.*at most 16/,
  },
  {
    name: 'overlap in the request',
    attempt: create(subnets('10.1.0.0/16', 'fd01::/64', '10.1.2.0/24')),
    code: 'subnet-overlap',
    says: /subnets\[2\] 10\.1\.2\.0\/24 overlaps subnets\[0\] 10\.1\.0\.0\/16/,
  },
  {
    name: 'overlap with a network, wider',
    attempt: create(subnets('10.0.0.0/8')),
    code: 'subnet-overlap',
    says: /10\.66\.0\.0\/24 of network "blue"/,
  },
  {
    name: 'overlap with a network, narrower',
    attempt: create(subnets('fd66::/80')),
    code: 'subnet-overlap',
    says: /fd66::\/64 of network "blue"/,
  },
  {
    name: 'loopback',
    attempt: create(subnets('127.1.0.0/16')),
    code: 'prefix-invalid',
    says: /subnets\[0\].*loopback/,
  },
  { name: 'multicast', attempt: create(subnets('ff05::/64')), code: 'prefix-invalid', says: /multicast/ },
  { name: 'everything', attempt: create(subnets('0.0.0.0/0')), code: 'prefix-invalid', says: /cannot be used/ },
  { name: 'one address', attempt: create(subnets('10.1.0.1/32')), code: 'prefix-invalid', says: /use \/31/ },
  {
    name: 'gateway outside',
    attempt: create({ subnets: [Subnet.create({ prefix: '10.1.0.0/24', gateway: '10.2.0.1' })] }),
    code: 'gateway-outside',
    says: /subnets\[0\]\.gateway 10\.2\.0\.1.*such as 10\.1\.0\.1/,
  },
  {
    name: 'gateway of the other family',
    attempt: create({ subnets: [Subnet.create({ prefix: '10.1.0.0/24', gateway: 'fd01::1' })] }),
    code: 'gateway-outside',
    says: /gateway/,
  },
  {
    name: 'gateway is the network address',
    attempt: create({ subnets: [Subnet.create({ prefix: '10.1.0.0/24', gateway: '10.1.0.0' })] }),
    code: 'address-reserved',
    says: /network address.*10\.1\.0\.1/,
  },
  {
    name: 'gateway is the broadcast address',
    attempt: create({ subnets: [Subnet.create({ prefix: '10.1.0.0/24', gateway: '10.1.0.255' })] }),
    code: 'address-reserved',
    says: /broadcast/,
  },
  {
    name: 'gateway is the anycast address',
    attempt: create({ subnets: [Subnet.create({ prefix: 'fd01::/64', gateway: 'fd01::' })] }),
    code: 'address-reserved',
    says: /anycast/,
  },
  {
    name: 'gateway is no address',
    attempt: create({ subnets: [Subnet.create({ prefix: 'fd01::/64', gateway: 'one' })] }),
    code: 'address-invalid',
    says: /subnets\[0\]\.gateway/,
  },
  ...[
    {
      name: 'gateway and internal',
      over: { gateway: '10.1.0.9' },
      internal: true,
      code: 'gateway-internal',
      says: /subnets\[0\]\.gateway 10\.1\.0\.9.*internal/,
    },
    {
      name: 'range outside',
      over: { ranges: ['10.2.0.0/25'] },
      code: 'range-outside',
      says: /subnets\[0\]\.ranges\[0\] 10\.2\.0\.0\/25 is outside of 10\.1\.0\.0\/24/,
    },
    { name: 'range of the other family', over: { ranges: ['fd01::/96'] }, code: 'range-outside', says: /fd01::\/96/ },
    {
      name: 'range larger than its subnet',
      over: { ranges: ['10.1.0.0/16'] },
      code: 'range-outside',
      says: /10\.1\.0\.0\/16/,
    },
    {
      name: 'range malformed',
      over: { ranges: ['10.1.0.9/25'] },
      code: 'prefix-host-bits',
      says: /subnets\[0\]\.ranges\[0\]/,
    },
    {
      name: 'ranges overlap',
      over: { ranges: ['10.1.0.0/25', '10.1.0.64/26'] },
      code: 'range-overlap',
      says: /ranges\[1\] 10\.1\.0\.64\/26 overlaps 10\.1\.0\.0\/25/,
    },
    {
      name: 'range of the gateway alone',
      over: { gateway: '10.1.0.9', ranges: ['10.1.0.9/32'] },
      code: 'range-empty',
      says: /ranges\[0\] 10\.1\.0\.9\/32/,
    },
    {
      name: 'range of the network address alone',
      over: { ranges: ['10.1.0.0/31'] },
      code: 'range-empty',
      says: /larger range/,
    },
    {
      name: 'too many ranges',
      over: { ranges: Array.from({ length: 65 }, (_, i) => `10.1.0.${i}/32`) },
      code: 'invalid-argument',
      says: /ranges: 65.*at most 64/,
    },
    {
      name: 'aux outside',
      over: { auxAddresses: { dns: '10.2.0.9' } },
      code: 'aux-address-outside',
      says: /subnets\[0\]\.aux_addresses\.dns 10\.2\.0\.9/,
    },
    {
      name: 'aux twice',
      over: { auxAddresses: { dns: '10.1.0.9', web: '10.1.0.9' } },
      code: 'aux-address-duplicate',
      says: /aux_addresses\.web 10\.1\.0\.9 is "dns"/,
    },
    {
      name: 'aux is the gateway',
      over: { gateway: '10.1.0.9', auxAddresses: { dns: '10.1.0.9' } },
      code: 'address-reserved',
      says: /aux_addresses\.dns 10\.1\.0\.9 is the gateway/,
    },
    {
      name: 'aux is the broadcast address',
      over: { auxAddresses: { dns: '10.1.0.255' } },
      code: 'address-reserved',
      says: /broadcast/,
    },
    {
      name: 'aux name',
      over: { auxAddresses: { 'a b': '10.1.0.9' } },
      code: 'name-invalid',
      says: /aux_addresses\.a b/,
    },
    {
      name: 'aux malformed',
      over: { auxAddresses: { dns: 'nine' } },
      code: 'address-invalid',
      says: /aux_addresses\.dns/,
    },
    {
      name: 'nothing left',
      over: { prefix: '10.1.0.0/30', auxAddresses: { dns: '10.1.0.2' } },
      code: 'subnet-full',
      says: /10\.1\.0\.0\/30 has no address left/,
    },
    {
      name: 'too many aux',
      over: { auxAddresses: Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`x${i}`, `10.1.0.${i + 2}`])) },
      code: 'invalid-argument',
      says: /25 auxiliary addresses.*at most 24/,
    },
  ].map(
    ({ name, over, internal, code, says }): Refused => ({
      name,
      attempt: create({ internal: internal ?? false, subnets: [Subnet.create({ prefix: '10.1.0.0/24', ...over })] }),
      code: code as ErrorCode,
      says,
    }),
  ),
  {
    name: 'driver',
    attempt: create({ driver: 'macvlan', ...subnets('10.1.0.0/16') }),
    code: 'driver-unknown',
    says: /"macvlan".*"overlay"/,
  },
  {
    name: 'name taken',
    attempt: create({ name: 'blue', ...subnets('10.1.0.0/16') }),
    code: 'name-taken',
    says: /name "blue"/,
  },
  {
    name: 'name invalid',
    attempt: create({ name: 'no spaces', ...subnets('10.1.0.0/16') }),
    code: 'name-invalid',
    says: /name "no spaces".*letters/,
  },
  {
    name: 'name like an id',
    attempt: create({ name: '0123456789abcdef', ...subnets('10.1.0.0/16') }),
    code: 'name-invalid',
    says: /looks like an id/,
  },
  {
    name: 'space invalid',
    attempt: create({ addressSpace: '/', ...subnets('10.1.0.0/16') }),
    code: 'name-invalid',
    says: /address_space/,
  },
  {
    name: 'mtu too small for IPv6',
    attempt: create({ mtu: 1279, ...subnets('fd01::/64') }),
    code: 'mtu-invalid',
    says: /mtu 1279.*1280 to 65535.*IPv6/,
  },
  {
    name: 'mtu too small',
    attempt: create({ mtu: 67, ...subnets('10.1.0.0/16') }),
    code: 'mtu-invalid',
    says: /68 to 65535/,
  },
  {
    name: 'mtu too large',
    attempt: create({ mtu: 65_536, ...subnets('10.1.0.0/16') }),
    code: 'mtu-invalid',
    says: /68 to 65535/,
  },
  {
    name: 'vni too large',
    attempt: create({ vni: 2 ** 24, ...subnets('10.1.0.0/16') }),
    code: 'vni-invalid',
    says: /1 to 16777215/,
  },
  {
    name: 'vni taken',
    attempt: create({ vni: 4096, ...subnets('10.1.0.0/16') }),
    code: 'vni-taken',
    says: /vni 4096.*"blue"/,
  },
  {
    name: 'label key',
    attempt: create({ labels: { 'a b': '' }, ...subnets('10.1.0.0/16') }),
    code: 'invalid-argument',
    says: /label key "a b"/,
  },
  {
    name: 'label value too long',
    attempt: create({ labels: { a: 'x'.repeat(1025) }, ...subnets('10.1.0.0/16') }),
    code: 'invalid-argument',
    says: /label "a".*at most 1024/,
  },
  {
    name: 'label value for a terminal',
    attempt: create({ labels: { a: '\u001b[2J' }, ...subnets('10.1.0.0/16') }),
    code: 'invalid-argument',
    says: /control characters/,
  },
  {
    name: 'too many labels',
    attempt: create({
      labels: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])),
      ...subnets('10.1.0.0/16'),
    }),
    code: 'invalid-argument',
    says: /at most 64/,
  },
  { name: 'unknown network', attempt: claim({ network: 'grey' }), code: 'network-unknown', says: /network "grey"/ },
  {
    name: 'endpoint label key',
    attempt: claim({ labels: { 'a b': '' } }),
    code: 'invalid-argument',
    says: /label key "a b"/,
  },
  {
    name: 'host label key',
    attempt: () => desk.make(registerNode(host(h1, 'h1', { labels: { '-': '' } }))),
    code: 'invalid-argument',
    says: /label key "-"/,
  },
  { name: 'no network', attempt: claim({ network: '' }), code: 'invalid-argument', says: /network is empty/ },
  {
    name: 'unknown node',
    attempt: claim({ nodeId: '00000000000000ff' }),
    code: 'node-unknown',
    says: /00000000000000ff/,
  },
  { name: 'node id malformed', attempt: claim({ nodeId: 'h1' }), code: 'invalid-argument', says: /node_id/ },
  {
    name: 'endpoint name taken',
    attempt: claim({ name: 'web' }),
    code: 'name-taken',
    says: /name "web".*"blue" on h1/,
  },
  {
    name: 'address in use',
    attempt: claim({ addresses: ['10.66.0.2'] }),
    code: 'address-in-use',
    says: /10\.66\.0\.2 is in use by endpoint "web"/,
  },
  {
    name: 'address outside',
    attempt: claim({ addresses: ['10.67.0.2'] }),
    code: 'address-outside',
    says: /10\.67\.0\.2.*10\.66\.0\.0\/24, fd66::\/64/,
  },
  {
    name: 'network address',
    attempt: claim({ addresses: ['10.66.0.0'] }),
    code: 'address-reserved',
    says: /network address/,
  },
  {
    name: 'broadcast address',
    attempt: claim({ addresses: ['10.66.0.255'] }),
    code: 'address-reserved',
    says: /broadcast/,
  },
  { name: 'gateway', attempt: claim({ addresses: ['fd66::1'] }), code: 'address-reserved', says: /gateway/ },
  {
    name: 'two of a family',
    attempt: claim({ addresses: ['10.66.0.8', '10.66.0.9'] }),
    code: 'invalid-argument',
    says: /addresses: 10\.66\.0\.8 and 10\.66\.0\.9 are both IPv4/,
  },
  {
    name: 'address malformed',
    attempt: claim({ addresses: ['10.66.0'] }),
    code: 'address-invalid',
    says: /addresses\[0\]/,
  },
  {
    name: 'network in use',
    attempt: () => desk.make(deleteNetwork({ network: 'blue', force: false })),
    code: 'network-in-use',
    says: /network "blue" has 1 endpoint: detach.*\(web on h1\)/,
  },
  {
    name: 'delete unknown',
    attempt: () => desk.make(deleteNetwork({ network: 'grey', force: false })),
    code: 'network-unknown',
    says: /grey/,
  },
  {
    name: 'release unknown',
    attempt: () =>
      desk.make(releaseEndpoint({ endpoint: 'ffffffffffffffff' as EndpointId, node: h1, reason: 'asked' })),
    code: 'endpoint-unknown',
    says: /ffff/,
  },
  {
    name: 'host name taken',
    attempt: () => desk.make(registerNode(host('00000000000000a3' as NodeId, 'h1'))),
    code: 'name-taken',
    says: /node\.name "h1".*--name/,
  },
  {
    name: 'data path multicast',
    attempt: () => desk.make(registerNode(host(h1, 'h1', { dataPath: Ip('224.0.0.1') }))),
    code: 'address-invalid',
    says: /node\.data_path/,
  },
  {
    name: 'underlay too small',
    attempt: () => desk.make(registerNode(host(h1, 'h1', { underlayMtu: 100 }))),
    code: 'mtu-invalid',
    says: /node\.underlay_mtu 100.*576/,
  },
  {
    name: 'version with control characters',
    attempt: () => desk.make(registerNode(host(h1, 'h1', { version: '\n' }))),
    code: 'invalid-argument',
    says: /node\.version/,
  },
];

describe('refused, with the field and what would be right', () => {
  beforeEach(() => {
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24', 'fd66::/64'])));
    attach('blue', 'web');
  });

  test.each(refusals)('$name', ({ attempt, code, says }) => {
    const before = desk.view.revision;
    const error = refusal(attempt);
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(says) });
    expect(desk.view.revision).toBe(before);
  });

  test('an endpoint is released by its own host only', () => {
    const { id } = attach('blue', 'db', [], h2);
    expect(refusal(() => desk.make(releaseEndpoint({ endpoint: id, node: h1, reason: 'asked' }))).code).toBe(
      'permission-denied',
    );
    desk.make(releaseEndpoint({ endpoint: id, node: h2, reason: 'asked' }));
    expect(refusal(() => desk.make(releaseEndpoint({ endpoint: id, node: h2, reason: 'asked' }))).code).toBe(
      'endpoint-unknown',
    );
  });
});

describe('networks', () => {
  test('a whole one', () => {
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

  test('gateways: by rule, or asked for; never an auxiliary address', () => {
    const gateways = (over: Partial<CreateNetworkRequest>) => {
      const two = [
        Subnet.create({ prefix: '10.1.0.0/24', auxAddresses: { dns: '10.1.0.1' } }),
        Subnet.create({ prefix: '10.2.0.0/24', gateway: over.internal === true ? '' : '10.2.0.9' }),
      ];
      const request = readCreateNetwork(CreateNetworkRequest.create({ name: 'blue', subnets: two, ...over }));
      return createNetwork(request)
        .plan(desk)
        .reply.subnets.map(({ gateway }) => gateway);
    };
    expect(gateways({})).toEqual(['10.1.0.2', '10.2.0.9']);
    expect(gateways({ noGateway: true })).toEqual([undefined, '10.2.0.9']);
    expect(gateways({ internal: true })).toEqual([undefined, undefined]);
  });

  test("an auxiliary address is nobody else's", () => {
    const subnet = { prefix: Prefix('10.1.0.0/29'), auxAddresses: { dns: Ip('10.1.0.2') } };
    desk.make(createNetwork(plainNetwork('blue', [], { subnets: [subnet] })));
    expect(attach('blue', 'a').addresses).toEqual(['10.1.0.3/29']);
    expect(refusal(() => attach('blue', 'b', ['10.1.0.2'])).message).toMatch(/dns/);
  });

  test('rehearsed, it is checked and told, and nothing is written', () => {
    const request = createNetwork(plainNetwork('blue', ['10.1.0.0/24']));
    expect(rehearsal(request).plan(desk)).toMatchObject({
      compares: [],
      writes: [],
      takes: [],
      events: [],
      reply: { vni: 4096 },
    });
    desk.make(request);
    expect(refusal(() => rehearsal(request).plan(desk)).code).toBe('name-taken');
  });

  test('the same prefix is fine in another address space', () => {
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16'])));
    desk.make(createNetwork(plainNetwork('green', ['10.66.0.0/16'], { addressSpace: 'tenant' as Name })));
    expect(desk.view.findNetwork('green').value.vni).toBe(4097);
  });

  test('deleted, everything it claimed can be had again, its VNI later', () => {
    const request = plainNetwork('blue', ['10.66.0.0/16', 'fd66::/64']);
    const { id } = desk.make(createNetwork(request));
    desk.make(deleteNetwork({ network: 'blue', force: false }));
    expect(desk.view.vnis.get(Vni(4096))?.claim).toEqual({ kind: 'cooling', network: id, name: 'blue', asked: false });
    expect(desk.make(createNetwork(request)).vni).toBe(4097);
  });

  test('deleted while its VNI is claimed by another, it leaves that claim alone', () => {
    const { id } = desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16'])));
    const other = encodeVniClaim({ kind: 'network', network: 'ffffffffffffffff' as NetworkId, asked: false });
    const write = { kind: 'put', key: desk.keys.vni(Vni(4096)), value: other } as const;
    desk.write({ compares: [], takes: [], events: [], reply: undefined, writes: [write] });
    desk.make(deleteNetwork({ network: id, force: false }));
    expect(desk.view.vnis.get(Vni(4096))?.claim.kind).toBe('network');
  });

  test('gets the next VNI in turn, whatever was asked for in between', () => {
    const vniOf = (name: string, prefix: string, vni?: number): number =>
      desk.make(createNetwork(plainNetwork(name, [prefix], vni === undefined ? {} : { vni }))).vni;
    expect(vniOf('a', '10.1.0.0/24')).toBe(4096);
    expect(vniOf('b', '10.2.0.0/24', 9000)).toBe(9000);
    expect(vniOf('c', '10.3.0.0/24', 4097)).toBe(4097);
    expect(vniOf('d', '10.4.0.0/24')).toBe(4098);
    desk.make(deleteNetwork({ network: 'd', force: false }));
    expect(vniOf('e', '10.5.0.0/24')).toBe(4099);
  });

  test('is refused a VNI that cools, and one when none is left, with the counts', () => {
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

describe('automatic MTU', () => {
  test.each([
    { name: 'IPv4 underlay', hosts: [{ underlayMtu: 1500 }], bytes: 1450 },
    { name: 'IPv6 underlay', hosts: [{ underlayMtu: 1500, dataPath: Ip('2001:db8::1') }], bytes: 1430 },
    { name: 'the smallest host decides', hosts: [{ underlayMtu: 9000 }, { underlayMtu: 1400 }], bytes: 1350 },
    { name: 'jumbo', hosts: [{ underlayMtu: 9000 }], bytes: 8950 },
    { name: 'never below what IPv6 needs', hosts: [{ underlayMtu: 1300 }], bytes: 1280 },
    { name: 'no host yet', hosts: [], bytes: 1450 },
  ])('$name', ({ hosts, bytes }) => {
    const fresh = new PlanningDesk(new SeededRandom(1));
    for (const [i, over] of hosts.entries()) {
      fresh.make(registerNode(host(`00000000000000b${i}` as NodeId, `b${i}`, over)));
    }
    expect(fresh.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16', 'fd66::/64']))).mtu.bytes).toBe(bytes);
  });
});

describe('endpoints', () => {
  test('labels are kept, and none is none', () => {
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])));
    claim({ name: 'db', labels: { tier: 'data', app: 'shop' } })();
    claim({ name: 'web' })();
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
    expect(full.code).toBe('pool-exhausted');
    expect(full.message).toContain('2 of 2 in use, 0 reserved, 0 cooling in 10.1.0.0/31, 10.2.0.0/30');
  });

  test('a released address cools: nobody has it but its own name', () => {
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/29', 'fd66::/64'])));
    const first = attach('blue', 'a');
    attach('blue', 'b');
    desk.make(releaseEndpoint({ endpoint: first.id, node: h1, reason: 'asked' }));
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
    const successor = claimEndpoint({ network: 'blue', node: h1, addresses: [], name: 'd' as Name }).plan({
      ...desk,
      allocator: new Allocator(desk.view),
    });
    expect(successor.reply.addresses).toEqual(['10.66.0.5/29']);
  });

  test('without IPv4 two addresses with the same last four bytes never meet', () => {
    desk.make(createNetwork(plainNetwork('six', ['fd66::/64'])));
    expect(attach('six', 'a', ['fd66::1:0:2'])).toMatchObject({ mac: Mac('02:43:00:00:00:02') });
    expect(refusal(() => attach('six', 'b', ['fd66::2:0:2'])).message).toMatch(
      /02:43:00:00:00:02 as that of endpoint "a"/,
    );
    expect(refusal(() => attach('six', 'b', ['fd66::2:0:1'])).message).toMatch(/the gateway/);
    expect(attach('six', 'b').addresses).toEqual(['fd66::3/64']);
  });

  test('what is in flight steers automatic choices and refuses nobody', () => {
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16'])));
    const request = { network: 'blue', node: h1, addresses: [] };
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
});

describe('hosts', () => {
  test('the same again writes nothing; a change does; a new name frees the old', () => {
    expect(registerNode(host(h1, 'h1')).plan(desk).writes).toEqual([]);
    desk.make(registerNode(host(h1, 'h1', { version: '0.2.0' })));
    expect(desk.view.findNode('h1').value.version).toBe('0.2.0');
    desk.make(registerNode(host(h1, 'h1', { labels: { zone: 'a', rack: '7' } })));
    expect(desk.view.findNode('h1').value.labels).toEqual({ zone: 'a', rack: '7' });
    expect(registerNode(host(h1, 'h1', { labels: { rack: '7', zone: 'a' } })).plan(desk).writes).toEqual([]);
    desk.make(registerNode(host(h1, 'h1')));
    expect(desk.view.findNode('h1').value.labels).toBeUndefined();
    desk.make(registerNode(host(h1, 'alpha')));
    expect(desk.view.findNode('alpha').value.id).toBe(h1);
    desk.make(registerNode(host('00000000000000a3' as NodeId, 'h1')));
    expect(desk.view.nodes.size).toBe(3);
  });
});
