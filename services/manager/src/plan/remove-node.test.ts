import type { EndpointId, Name, Node, NodeId } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { records } from '../store/records/index.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused, type Refused } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { cleanUpCertificates } from './certificate-cleanup.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { drainNode } from './drain-node.ts';
import { registerNode } from './register-node.ts';
import { releaseByManager } from './release-endpoint.ts';
import { beginRemoval, removeNode } from './remove-node.ts';
import { checkNotRemoved } from './removed-node.ts';

const [h1, h2] = [scriptNode(1), scriptNode(2)];
/** A new host that has the name of h1. */
const again: Node = { ...scriptNode(9), name: h1.name, dataPath: h1.dataPath };
const emptied = { released: 3, interfacesRemoved: false };
let desk: PlanHarness;
let connected: Set<NodeId>;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  connected = new Set();
  for (const node of [h1, h2]) desk.make(registerNode(node));
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])));
});

const facts = { isConnected: (node: NodeId) => connected.has(node), by: 'root@m1', emptied };
const attach = (name: string, node: NodeId = h1.id) =>
  desk.make(claimEndpoint({ network: 'blue', name: name as Name, node, addresses: [] }));
const release = (id: EndpointId) =>
  desk.make(releaseByManager(id, ({ name }) => ({ kind: 'endpoint.orphaned', message: name })));
const remove = (force = false, node = 'h1') => desk.make(removeNode({ node, force }, facts));
const begin = (force = false, node = 'h1') => desk.make(beginRemoval({ node, force }, facts));
const drain = (node = 'h1') => desk.make(drainNode({ node, drained: true }));

describe('a host is not removed', () => {
  interface Given {
    readonly connected?: boolean;
    readonly endpoints?: readonly string[];
  }
  test.each<Refused<Given>>([
    [
      'that is connected',
      { connected: true },
      'node-in-use',
      /^host h1 is connected: stop its agent first, or .*--force$/,
    ],
    [
      'that has an endpoint',
      { endpoints: ['web'] },
      'node-in-use',
      /^host h1 has the endpoint web: detach its endpoints/,
    ],
    ['that has several', { endpoints: ['web', 'db'] }, 'node-in-use', /^host h1 has 2 endpoints: db, web: detach/],
    [
      'that is connected and has an endpoint',
      { connected: true, endpoints: ['web'] },
      'node-in-use',
      /is connected and has the endpoint web: detach its endpoints and stop its agent first/,
    ],
  ])('%s', (_, { connected: isConnected = false, endpoints = [] }, code, says) => {
    for (const name of endpoints) attach(name);
    drain();
    if (isConnected) connected.add(h1.id);
    for (const step of [begin, remove]) expectRefused(desk, () => step(), code, says);
  });

  test('before it is drained and empty: a claim that is under way may still be written', () => {
    expectRefused(desk, () => remove(), 'busy', /h1 is not drained and empty yet/);
    const { id } = attach('web');
    expect(begin(true)).toMatchObject({ name: 'h1', drained: true });
    expectRefused(desk, () => remove(true), 'busy', /h1/);
    release(id);
    expect(remove(true)).toEqual(emptied);
  });

  test('that is unknown', () => {
    expectRefused(desk, () => remove(true, 'h9'), 'node-unknown', /h9/);
    expect(begin(true, 'h9')).toBeUndefined();
  });
});

describe('a host that was removed', () => {
  beforeEach(() => {
    drain();
    remove();
  });

  test('has no record, no name, and a record of its removal', () => {
    expect([...desk.view.nodes.keys()]).toEqual([h2.id]);
    expect([...desk.written.keys()].filter((key) => key.includes(h1.id))).toEqual([desk.keys.removed('agent', h1.id)]);
    const { at, until, reason } = desk.view.records('removed').get({ role: 'agent', id: h1.id })?.value ?? {};
    expect([at, reason]).toEqual([desk.clock.wall(), 'host h1, by root@m1']);
    expect(Number(until) - Number(at)).toBe(90 * 24 * 3_600_000);
  });

  test('is refused under its id: as a host, and for endpoints', () => {
    const says = /^this host \(.*\) was removed from the cluster on 2027-.*\(host h1, by root@m1\).*join again/;
    expectRefused(desk, () => desk.make(registerNode(h1)), 'node-removed', says);
    expectRefused(desk, () => desk.make(registerNode({ ...h1, name: 'other' as Name })), 'node-removed', says);
    expectRefused(desk, () => attach('web'), 'node-removed', says);
    expect(() => checkNotRemoved(desk.view, h2.id)).not.toThrow();
  });

  test('leaves its name to a new host', () => {
    desk.make(registerNode(again));
    expect(desk.view.findNode('h1').value.id).toBe(again.id);
    expect(attach('web', again.id).node).toBe(again.id);
  });

  test('is known under its id if it has joined again under it', () => {
    const member = { role: 'agent', id: h1.id } as const;
    const certificate = { ...member, name: 'h1', serial: '1', issued: 1, expires: 2, generation: 1, hosts: [] };
    const value = records.certificate.codec.encode(certificate);
    const put = { kind: 'put', key: desk.keys.certificate('agent', h1.id), value } as const;
    desk.write({ compares: [], writes: [put], takes: [], events: [], reply: undefined });
    desk.make(registerNode(h1));
    expect(attach('web').node).toBe(h1.id);
  });

  test('is forgotten after the longest life of a certificate', () => {
    const until = desk.clock.wall() + 90 * 24 * 3_600_000;
    desk.make(cleanUpCertificates(until - 1));
    expect(desk.view.removals.peers.size).toBe(1);
    desk.make(cleanUpCertificates(until));
    expect(desk.view.removals.peers.size).toBe(0);
  });
});

test.each([
  ['its name', 'h7'],
  ['its id', scriptNode(7).id],
])('a host that joined and never had a session is removed by %s', (_, reference) => {
  const { id } = scriptNode(7);
  const certificate = { role: 'agent', id, name: 'h7', serial: '1', issued: 1, hosts: [], generation: 1 } as const;
  const value = records.certificate.codec.encode({ ...certificate, expires: desk.clock.wall() + 1_000 });
  const put = { kind: 'put', key: desk.keys.certificate('agent', id), value } as const;
  desk.write({ compares: [], writes: [put], takes: [], events: [], reply: undefined });
  const removal = removeNode({ node: reference, force: false }, facts);
  expect(removal.plan(desk).compares).toContainEqual({ kind: 'absent', key: desk.keys.node(id) });
  desk.make(removal);
  expect([...desk.view.removals.peers.keys()]).toEqual([`agent/${id}`]);
  expectRefused(desk, () => desk.make(registerNode(scriptNode(7))), 'node-removed', /host h7, by root@m1/);
  expectRefused(desk, () => desk.make(removal), 'node-unknown', /./);
});

test('a removal in the store refuses a registration that was planned before it', () => {
  drain();
  const planned = registerNode({ ...h1, name: 'h7' as Name }).plan(desk);
  const { revision } = desk.view.findNode('h1');
  expect(planned.compares).toContainEqual({ kind: 'unchanged', key: desk.keys.node(h1.id), modRevision: revision });
  expect(registerNode(scriptNode(3)).plan(desk).compares).toContainEqual({
    kind: 'absent',
    key: desk.keys.removed('agent', scriptNode(3).id),
  });
});
