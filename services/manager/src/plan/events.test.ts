import { Ip, type Name, type Node, type NodeId, Prefix } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, expect, test } from 'vitest';
import { evictEndpoint } from '../api/evict-network.ts';
import type { EventInput } from '../events/event-input.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { repairClaims } from './check.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { deleteNetwork } from './delete-network.ts';
import type { Intent } from './intent.ts';
import { lowerMtu } from './mtu.ts';
import { registerNode } from './register-node.ts';
import { releaseEndpoint } from './release-endpoint.ts';
import { releaseAddress, reserveAddress } from './reservations.ts';
import { type UpdateNetwork, updateNetwork } from './update-network.ts';

const id = '00000000000000a1' as NodeId;
const host: Node = { id, name: 'h1' as Name, dataPath: Ip('192.0.2.1'), underlayMtu: 1500, version: '0.1.0' };
const subnet = { prefix: Prefix('10.66.0.0/16'), gateway: Ip('10.66.0.1') };

let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
});

/** The events of a plan. `make` also writes the plan. */
const eventsOf = (intent: Intent<unknown>): readonly EventInput[] => intent.plan(desk).events;
const sentences = (intent: Intent<unknown>) => eventsOf(intent).map(({ kind, message }) => `${kind}: ${message}`);

function make<Reply>(intent: Intent<Reply>): Reply {
  return desk.make(intent);
}

function given(): void {
  make(registerNode(host));
  make(createNetwork({ ...plainNetwork('blue', []), subnets: [subnet], labels: { tier: 'db', old: '1' } }));
  make(claim('web'));
  make(reserveAddress({ network: 'blue', address: Ip('10.66.0.9'), purpose: 'printer' }));
}

const claim = (name: string) => claimEndpoint({ network: 'blue', name: name as Name, node: id, addresses: [] });
const endpointOf = (name: string) => desk.view.findEndpoint(`blue/${name}`).value;
const update = (change: Partial<UpdateNetwork>) =>
  updateNetwork({
    network: 'blue',
    setLabels: {},
    removeLabels: [],
    addSubnets: [],
    gateways: 'all',
    removeSubnets: [],
    addRanges: [],
    ...change,
  });

test.each<[string, () => Intent<unknown>, readonly string[]]>([
  [
    'a host that is new',
    () => registerNode({ ...host, id: '00000000000000a2' as NodeId, name: 'h2' as Name }),
    ['node.joined: host h2 joined: VTEP 192.0.2.1, underlay MTU 1500'],
  ],
  ['a host as it was', () => registerNode(host), []],
  ['a host with other routes', () => registerNode({ ...host, hostRoutes: [Prefix('10.0.0.0/8')] }), []],
  [
    'a host that moved',
    () => registerNode({ ...host, name: 'h9' as Name, dataPath: Ip('192.0.2.9'), underlayMtu: 9000 }),
    ['node.changed: host h1 changed: name h1 -> h9, VTEP 192.0.2.1 -> 192.0.2.9, underlay MTU 1500 -> 9000'],
  ],
  [
    'a network',
    () => createNetwork(plainNetwork('green', ['10.1.0.0/24'])),
    ['network.created: network green created: 10.1.0.0/24 gateway 10.1.0.1, VNI 4097, MTU 1450'],
  ],
  [
    'a network changed in everything',
    () =>
      update({
        name: 'red' as Name,
        setLabels: { tier: 'web', zone: 'a' },
        removeLabels: ['old'],
        addSubnets: [{ prefix: Prefix('10.77.0.0/24') }],
        mtu: 1400,
      }),
    [
      'network.changed: network blue changed: name blue -> red, MTU 1450 -> 1400 (fixed), ' +
        'subnet 10.77.0.0/24 gateway 10.77.0.1 added, label old=1 removed, label tier=db -> web, label zone=a added',
    ],
  ],
  [
    'a network with a range',
    () => {
      make(update({ addSubnets: [{ prefix: Prefix('10.77.0.0/16'), ranges: [Prefix('10.77.1.0/24')] }] }));
      return update({ addRanges: [Prefix('10.77.2.0/24')] });
    },
    [
      'network.changed: network blue changed: subnet 10.77.0.0/16 gateway 10.77.0.1 ranges 10.77.1.0/24 -> ' +
        '10.77.0.0/16 gateway 10.77.0.1 ranges 10.77.1.0/24 10.77.2.0/24',
    ],
  ],
  ['a network as it was', () => update({ setLabels: { tier: 'db' } }), []],
  [
    'a network whose hosts carry less',
    () => {
      make(registerNode({ ...host, underlayMtu: 1400 }));
      return lowerMtu(desk.view.findNetwork('blue').value.id);
    },
    ['network.changed: network blue changed: MTU 1450 -> 1350'],
  ],
  [
    'a network that goes',
    () => {
      make(createNetwork(plainNetwork('green', ['10.1.0.0/24'])));
      return deleteNetwork({ network: 'green', force: false });
    },
    ['network.deleted: network green deleted'],
  ],
  ['an endpoint', () => claim('db'), ['endpoint.attached: db 10.66.0.3/16 attached on h1']],
  [
    'an endpoint that goes',
    () => releaseEndpoint({ endpoint: endpointOf('web').id, node: id, reason: 'asked' }),
    ['endpoint.detached: web 10.66.0.2/16 detached on h1'],
  ],
  [
    'an endpoint whose container is gone',
    () => releaseEndpoint({ endpoint: endpointOf('web').id, node: id, reason: 'container-gone' }),
    ['endpoint.orphaned: web 10.66.0.2/16 orphaned on h1: the network namespace of its container is gone'],
  ],
  [
    'an endpoint whose network is deleted',
    () => evictEndpoint(endpointOf('web').id),
    ['endpoint.detached: web 10.66.0.2/16 detached on h1: its network was deleted with force'],
  ],
  [
    'a reservation',
    () => reserveAddress({ network: 'blue', address: Ip('10.66.0.20'), purpose: 'gate' }),
    ['address.reserved: 10.66.0.20 reserved for gate'],
  ],
  [
    'a reservation that ends',
    () => releaseAddress({ network: 'blue', address: Ip('10.66.0.9') }),
    ['address.released: 10.66.0.9 released, it was reserved for printer'],
  ],
  [
    'claims that were wrong',
    () => {
      const { id: network } = desk.view.findNetwork('blue').value;
      const key = desk.keys.address(network, Ip('10.66.0.2'));
      desk.write({ compares: [], writes: [{ kind: 'delete', key }], takes: [], events: [], reply: undefined });
      return repairClaims(network, [{ subject: { address: Ip('10.66.0.2') } }]);
    },
    ['claims.repaired: claims of network blue repaired: 10.66.0.2 given to endpoint "web"'],
  ],
])('%s', (_name, intent, expected) => {
  given();
  expect(sentences(intent()).map((text) => text.replace(/ \([0-9a-f]{16}\)/g, ''))).toEqual(expected);
});

test('events of an address name network, endpoint and host by id and name', () => {
  given();
  const [attached] = eventsOf(claim('db'));
  expect(attached).toEqual({
    kind: 'endpoint.attached',
    network: 'blue',
    networkId: desk.view.findNetwork('blue').value.id,
    endpoint: 'db',
    endpointId: expect.stringMatching(/^[0-9a-f]{16}$/),
    host: 'h1',
    addresses: ['10.66.0.3'],
    message: 'db 10.66.0.3/16 attached on h1',
  });
});
