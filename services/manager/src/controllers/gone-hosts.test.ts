import { Ip, type Name, type NodeId } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimEndpoint } from '../plan/claim-endpoint.ts';
import { createNetwork } from '../plan/create-network.ts';
import type { Intent } from '../plan/intent.ts';
import { registerNode } from '../plan/register-node.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { nodeId, scriptNode } from '../testing/view-script.ts';
import { GoneHostsController } from './gone-hosts.ts';

const [h1, h2] = [nodeId(1), nodeId(2)];
let desk: PlanHarness;
let clock: FakeClock;
let silent: Map<NodeId, number>;
let term: AbortController;
let events: string[];
let transactions: number;
let waiting: (() => void) | undefined;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(1));
  clock = new FakeClock();
  silent = new Map();
  events = [];
  transactions = 0;
  waiting = undefined;
  for (const n of [1, 2]) desk.make(registerNode(scriptNode(n)));
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/16'])));
});

afterEach(() => term.abort());

/** Begins a term in which a host is gone after ten minutes of silence. */
function lead(goneAfter = minutes(10)): void {
  term = new AbortController();
  const apply = async <Reply>(intent: Intent<Reply>) => {
    waiting?.();
    const proposal = intent.plan(desk);
    events.push(...proposal.events.map(({ message }) => message));
    if (proposal.writes.length > 0) transactions++;
    desk.write(proposal);
    return { reply: proposal.reply, revision: desk.view.revision };
  };
  const hosts = { silentSince: (node: NodeId) => silent.get(node) };
  const parts = { view: desk.view, writer: { apply }, hosts, clock, log: new MemoryLog() };
  void new GoneHostsController(parts, { nodeGoneAfter: goneAfter }).run({ revision: 1n, signal: term.signal });
}

function attach(count: number, node = h1): void {
  for (let n = 1; n <= count; n++) {
    const address = Ip(`10.66.${node === h1 ? 1 : 2}.${n}`);
    const name = `e${n}-${node === h1 ? 1 : 2}` as Name;
    desk.make(claimEndpoint({ network: 'blue', name, node, addresses: [address] }));
  }
}

const left = (): number => desk.view.endpointCount;

test('the endpoints of a host are released when its silence has lasted, and not before', async () => {
  attach(45);
  attach(1, h2);
  lead();
  silent.set(h1, clock.now());
  await clock.advance(minutes(9));
  expect(left()).toBe(46);
  await clock.advance(minutes(2));
  expect([...desk.view.endpointsOn(h1)].length).toBe(0);
  expect(left()).toBe(1);
  expect(events[0]).toContain('orphaned on h1: h1 has been gone for 10m');
});

test('a host that has a session again is not gone, and its silence is forgotten', async () => {
  attach(1);
  lead();
  silent.set(h1, clock.now());
  await clock.advance(minutes(9));
  expect([...desk.view.silences.keys()]).toEqual([h1]);
  silent.delete(h1);
  await clock.advance(minutes(30));
  expect([left(), desk.view.silences.size]).toEqual([1, 0]);
});

test('a host that comes back while its endpoints are released keeps the others', async () => {
  attach(45);
  lead();
  silent.set(h1, clock.now());
  await clock.advance(minutes(9));
  waiting = () => {
    if (events.length === 9) silent.set(h1, clock.now());
  };
  await clock.advance(minutes(2));
  waiting = undefined;
  expect(left()).toBe(36);
  expect(events).toHaveLength(9);
});

test('a silence goes on under the next leader, and the time between the terms does not count', async () => {
  attach(1);
  lead();
  silent.set(h1, clock.now());
  await clock.advance(minutes(6));
  term.abort();
  await clock.advance(minutes(60));
  silent.set(h1, clock.now());
  lead();
  await clock.advance(minutes(3));
  expect(left()).toBe(1);
  await clock.advance(minutes(3));
  expect(left()).toBe(0);
});

test('without a limit no host is ever gone', async () => {
  attach(1);
  lead(seconds(0));
  silent.set(h1, clock.now());
  await clock.advance(minutes(60));
  expect(left()).toBe(1);
});

test('the time for which managers lead is stored once a minute, and only while a host is silent', async () => {
  lead();
  await clock.advance(minutes(10));
  expect(transactions).toBe(0);
  attach(1);
  silent.set(h1, clock.now());
  await clock.advance(seconds(65));
  const [before, at] = [transactions, clock.now()];
  expect(before).toBe(1);
  await clock.advance(minutes(5));
  expect(transactions - before).toBe(5);
  const stored = desk.view.ledTime?.milliseconds ?? 0;
  expect(stored).toBeGreaterThan(at);
  expect(clock.now() - stored).toBeLessThanOrEqual(minutes(1));
});

test('the silence of a host without endpoints is not recorded', async () => {
  attach(1);
  lead();
  for (const node of [h1, h2]) silent.set(node, clock.now());
  await clock.advance(minutes(2));
  expect([...desk.view.silences.keys()]).toEqual([h1]);
});

test('many silences are recorded in several transactions', async () => {
  for (let n = 3; n <= 103; n++) {
    desk.make(registerNode(scriptNode(n)));
    const address = Ip(`10.66.9.${n}`);
    desk.make(claimEndpoint({ network: 'blue', name: `x${n}` as Name, node: nodeId(n), addresses: [address] }));
    silent.set(nodeId(n), 0);
  }
  lead();
  await clock.advance(seconds(61));
  expect([desk.view.silences.size, transactions]).toEqual([101, 3]);
});
