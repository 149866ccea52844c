import { Ip, type Name, type Node, type NodeId } from '@causeway/model';
import { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, expect, test } from 'vitest';
import type { Origin } from '../events/event-input.ts';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import { deleteNetwork } from '../plan/delete-network.ts';
import { releaseOrphan } from '../plan/gone-hosts.ts';
import type { Intent } from '../plan/intent.ts';
import { registerNode } from '../plan/register-node.ts';
import { releaseEndpoint } from '../plan/release-endpoint.ts';
import { releaseAddress, reserveAddress } from '../plan/reservations.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { addressHistory } from './address-history.ts';

const h1 = '00000000000000a1' as NodeId;
const host: Node = { id: h1, name: 'h1' as Name, dataPath: Ip('192.0.2.1'), underlayMtu: 1500, version: '0.1.0' };
const call = '11111111-1111-4111-8111-111111111111';
const agent: Origin = { actor: 'agent/h1', cause: call };
const operator: Origin = { actor: 'root@h9', cause: call };

let desk: PlanHarness;
let events: Event[];

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  events = [];
  act(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])), operator);
  act(registerNode(host), agent);
});

/** Carries out one intent, a second after the previous one, and keeps its events as the store would. */
function act(intent: Intent<unknown>, origin: Origin): void {
  const proposal = intent.plan(desk);
  desk.write(proposal);
  const timeMs = BigInt(1_000 * (events.length + 1));
  for (const event of proposal.events)
    events.push(Event.create({ ...event, addresses: [...(event.addresses ?? [])], ...origin, timeMs }));
}

const attach = (name: string, ip: string, network = 'blue') =>
  act(claimEndpoint({ network, name: name as Name, node: h1, addresses: [Ip(ip)] }), agent);
const endpointOf = (name: string) => desk.view.findEndpoint(name).value.id;
const detach = (name: string) => act(releaseEndpoint({ endpoint: endpointOf(name), node: h1, reason: 'asked' }), agent);

const history = (ip: string, given: readonly Event[] = events, network?: string) =>
  addressHistory(Ip(ip), given, desk.view, network).map((holding) => {
    const { network: of, endpoint, host: on, purpose, fromMs, toMs, actor, released } = holding;
    return `${of} ${endpoint || purpose} on ${on || '-'}, ${fromMs}-${toMs || 'now'}, ${actor || '?'} to ${released || '-'}`;
  });

test('an address that was never held', () => {
  attach('web', '10.66.0.9');
  expect(history('10.66.0.8')).toEqual([]);
});

test('former holders one after another, and the present holder', () => {
  attach('web', '10.66.0.9');
  attach('other', '10.66.0.10');
  detach('web');
  attach('web', '10.66.0.9');
  expect(history('10.66.0.9')).toEqual([
    'blue web on h1, 3000-5000, agent/h1 to agent/h1',
    'blue web on h1, 6000-now, agent/h1 to -',
  ]);
});

test('a reservation', () => {
  act(reserveAddress({ network: 'blue', address: Ip('10.66.0.9'), purpose: 'printer' }), operator);
  act(releaseAddress({ network: 'blue', address: Ip('10.66.0.9') }), operator);
  attach('web', '10.66.0.9');
  expect(history('10.66.0.9')).toEqual([
    'blue printer on -, 3000-4000, root@h9 to root@h9',
    'blue web on h1, 5000-now, agent/h1 to -',
  ]);
});

test('released by a rule, which is named', () => {
  attach('web', '10.66.0.9');
  act(
    releaseOrphan(endpointOf('web'), 'h1 is gone', () => true),
    { actor: 'manager/m1', cause: 'node-gone' },
  );
  expect(history('10.66.0.9')).toEqual(['blue web on h1, 3000-4000, agent/h1 to manager/m1 (node-gone)']);
});

test('a reservation ends with its network', () => {
  act(reserveAddress({ network: 'blue', address: Ip('10.66.0.9'), purpose: 'printer' }), operator);
  act(deleteNetwork({ network: 'blue', force: true }), operator);
  expect(history('10.66.0.9')).toEqual(['blue printer on -, 3000-4000, root@h9 to root@h9']);
});

test('a holding that began before the kept events has no known beginning', () => {
  attach('web', '10.66.0.9');
  attach('db', '10.66.0.10');
  act(reserveAddress({ network: 'blue', address: Ip('10.66.0.11'), purpose: 'printer' }), operator);
  const kept = events.length;
  detach('web');
  const given = events.slice(kept);
  expect(history('10.66.0.9', given)).toEqual(['blue web on h1, 0-6000, ? to agent/h1']);
  expect(history('10.66.0.10', given)).toEqual(['blue db on h1, 0-now, ? to -']);
  expect(history('10.66.0.11', given)).toEqual(['blue printer on -, 0-now, ? to -']);
});

test('in each network by itself, or in one of them', () => {
  act(createNetwork({ ...plainNetwork('green', ['10.66.0.0/24']), addressSpace: 'other' as Name }), operator);
  attach('web', '10.66.0.9');
  attach('web2', '10.66.0.9', 'green');
  expect(history('10.66.0.9')).toEqual([
    'blue web on h1, 4000-now, agent/h1 to -',
    'green web2 on h1, 5000-now, agent/h1 to -',
  ]);
  expect(history('10.66.0.9', events, 'green')).toEqual(['green web2 on h1, 5000-now, agent/h1 to -']);
  expect(history('10.66.0.9', events, 'red')).toEqual([]);
});
