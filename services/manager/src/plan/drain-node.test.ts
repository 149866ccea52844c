import { type EndpointId, Ip, type Name } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, expect, test } from 'vitest';
import { records } from '../store/records/index.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { drainNode } from './drain-node.ts';
import { registerNode } from './register-node.ts';

const h1 = scriptNode(1);
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  desk.make(registerNode(h1));
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])));
});

const attach = (name: string, former?: EndpointId) =>
  desk.make(
    claimEndpoint({ network: 'blue', name: name as Name, node: h1.id, addresses: [], ...(former && { former }) }),
  );
const set = (drained: boolean) => desk.make(drainNode({ node: 'h1', drained }));

test('a drained host gets no new endpoint, and keeps those that it has', () => {
  const web = attach('web');
  set(true);
  expectRefused(desk, () => attach('db'), 'node-drained', /^host h1 is drained.*causeway node undrain h1$/);
  expect(attach('web', web.id)).toEqual(web);
  set(false);
  expect(attach('db').name).toBe('db');
});

test('claims of what the host had before a restore are not new', () => {
  set(true);
  const former = 'e000000000000009' as EndpointId;
  expectRefused(desk, () => attach('db', former), 'node-drained', /h1/);
  const put = { kind: 'put', key: desk.keys.recovery, value: records.recovery.codec.encode('restored') } as const;
  desk.write({ compares: [], writes: [put], takes: [], events: [], reply: undefined });
  expect(attach('db', former).id).toBe(former);
});

test('a claim that was planned before the drain cannot be written after it', () => {
  const { compares } = claimEndpoint({ network: 'blue', name: 'db' as Name, node: h1.id, addresses: [] }).plan(desk);
  const { revision } = desk.view.findNode('h1');
  expect(compares).toContainEqual({ kind: 'unchanged', key: desk.keys.node(h1.id), modRevision: revision });
  set(true);
  expect(desk.view.findNode('h1').revision).toBeGreaterThan(revision);
});

test('a second drain writes nothing; each change has an event', () => {
  const of = (drained: boolean) => drainNode({ node: h1.id, drained }).plan(desk);
  expect(of(false).writes).toEqual([]);
  expect(of(true).events).toMatchObject([{ kind: 'node.drained', host: 'h1' }]);
  set(true);
  expect(of(true).writes).toEqual([]);
  expect(of(false).events).toMatchObject([{ kind: 'node.undrained', host: 'h1' }]);
});

test('its agent does not end the drain: neither by a new session nor by a change of the host', () => {
  set(true);
  expect(registerNode(h1).plan(desk).writes).toEqual([]);
  desk.make(registerNode({ ...h1, dataPath: Ip('192.0.2.99') }));
  expect(desk.view.findNode('h1').value).toMatchObject({ drained: true, dataPath: '192.0.2.99' });
  set(false);
  expect(desk.view.findNode('h1').value).toEqual({ ...h1, dataPath: '192.0.2.99', createdAt: expect.any(Number) });
});

test('an unknown host', () => {
  expectRefused(desk, () => desk.make(drainNode({ node: 'h9', drained: true })), 'node-unknown', /"h9"/);
});
