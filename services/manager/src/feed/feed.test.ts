import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import {
  clock,
  connect,
  eventKinds,
  feed,
  held,
  registered,
  script,
  settle,
  term,
  useFeed,
} from '../testing/feed-fixture.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { networkId, nodeId, scriptNode } from '../testing/view-script.ts';
import { backlogLimit } from './subscriptions.ts';

useFeed();

describe('a session', () => {
  test('of a new host: welcome, nothing to have, ready; then the first endpoint brings the network whole', async () => {
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    expect(agent.take()).toEqual(['welcome term=3', 'ready @3']);
    expect(registered).toEqual([scriptNode(1)]);
    script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
    expect(agent.take()).toEqual(['complete n7 @4 rows=1']);
    script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 2 });
    expect(agent.take()).toEqual(['delta n7 4->5 +1 -0']);
    script.commit({ delete: 'endpoint', endpoint: 10, network: 7 });
    expect(agent.take()).toEqual(['delta n7 5->6 +0 -1']);
    script.commit({ delete: 'endpoint', endpoint: 9, network: 7 });
    expect(agent.take()).toEqual(['withdraw n7']);
  });

  test('of a host with endpoints: all of its networks, each whole', async () => {
    script.commit({ put: 'network', network: 8 }, { put: 'endpoint', endpoint: 9, network: 7, node: 1 });
    script.commit({ put: 'endpoint', endpoint: 10, network: 8, node: 2 });
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    expect(agent.take()).toEqual(['welcome term=3', 'complete n7 @4 rows=1', 'ready @5']);
  });

  test('gives the same bytes to every subscriber and none to others', async () => {
    script.commit({ put: 'node', node: 3 }, { put: 'endpoint', endpoint: 9, network: 7, node: 1 });
    script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 2 });
    const [one, two, three] = await Promise.all([1, 2, 3].map((n) => connect(new MemoryAgent(scriptNode(n)))));
    const before = three?.bytes.length;
    script.commit({ put: 'endpoint', endpoint: 11, network: 7, node: 2 });
    expect(one?.bytes.at(-1)).toBe(two?.bytes.at(-1));
    expect(one?.take().at(-1)).toBe('delta n7 5->6 +1 -0');
    expect(three?.bytes.length).toBe(before);
  });

  test('sends a changed network and a moved VTEP as deltas', async () => {
    script.commit(
      { put: 'endpoint', endpoint: 9, network: 7, node: 1 },
      { put: 'endpoint', endpoint: 10, network: 7, node: 2 },
    );
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    agent.take();
    script.commit({ put: 'network', network: 7, mtu: 1400 });
    script.commit({ put: 'node', node: 2, vtep: '192.0.2.99' });
    script.commit({ put: 'node', node: 2, vtep: '192.0.2.99', underlayMtu: 9000 });
    expect(agent.take()).toEqual(['delta n7 4->5 +0 -0', 'delta n7 5->6 +1 -0']);
    expect(agent.holds.held.get(networkId(7))?.network.mtu.bytes).toBe(1400);
  });

  test('answers a broken chain with the whole network', async () => {
    script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    agent.holds.held.set(networkId(7), { ...held(agent), revision: 2n });
    script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 2 });
    await settle();
    expect(agent.take().slice(-2)).toEqual(['delta n7 4->5 +1 -0 BREAK', 'complete n7 @5 rows=2']);
  });
});

test('a reset of the view reaches agents as one step', async () => {
  script.commit(
    { put: 'endpoint', endpoint: 9, network: 7, node: 1 },
    { put: 'endpoint', endpoint: 10, network: 7, node: 2 },
  );
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  agent.take();
  script.reset(
    { delete: 'endpoint', endpoint: 10, network: 7 },
    { put: 'endpoint', endpoint: 12, network: 7, node: 2 },
  );
  expect(agent.take()).toEqual(['delta n7 4->5 +1 -1']);
});

describe('leadership', () => {
  test('when leadership ends and no other manager leads, the goodbye names no leader', async () => {
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    term.abort();
    expect(agent.take().at(-1)).toBe('goodbye ');
    expect((await connect(new MemoryAgent(scriptNode(1)))).take()).toEqual(['goodbye ']);
  });

  test('a manager that does not lead names the leader', async () => {
    term.abort();
    script.lead('m2');
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    expect(agent.take()).toEqual(['goodbye m2:7443']);
    expect(agent.closed).toEqual({ error: undefined });
  });

  test('a manager that does not lead sends an agent away before the agent says anything', async () => {
    term.abort();
    const agent = new MemoryAgent(scriptNode(1));
    void feed.accept(agent);
    await settle();
    expect(agent.take()).toEqual(['goodbye ']);
  });

  test('a manager that knows itself as the leader sends no agent to itself', async () => {
    term.abort();
    script.lead('m1');
    expect((await connect(new MemoryAgent(scriptNode(1)))).take()).toEqual(['goodbye ']);
  });

  test('lost: every session ends with goodbye, and no host counts as lost', async () => {
    const agents = await Promise.all([1, 2].map((n) => connect(new MemoryAgent(scriptNode(n)))));
    script.lead('m2');
    term.abort();
    for (const agent of agents) expect(agent.take().at(-1)).toBe('goodbye m2:7443');
    await settle();
    expect(feed.isReady(nodeId(1))).toBe(false);
    expect(eventKinds()).toEqual(['node.ready h1', 'node.ready h2']);
  });
});

test('a host that says nothing for three heartbeats is lost; its rows stay with the others', async () => {
  script.commit(
    { put: 'endpoint', endpoint: 9, network: 7, node: 1 },
    { put: 'endpoint', endpoint: 10, network: 7, node: 2 },
  );
  const silentAgent = await connect(new MemoryAgent(scriptNode(1)));
  const other = await connect(new MemoryAgent(scriptNode(2)));
  other.take();
  for (let beat = 0; beat < 4; beat++) {
    other.say({
      oneofKind: 'report',
      report: {
        repairs: 0n,
        drift: 0,
        repaired: [],
        underlayMtu: 1500,
        networkDrift: {},
        recovered: true,
        keptIds: [],
      },
    });
    await clock.advance(seconds(2));
  }
  expect(silentAgent.closed?.error?.code).toBe('agent-unavailable');
  expect(feed.isReady(nodeId(1))).toBe(false);
  expect(feed.isReady(nodeId(2))).toBe(true);
  expect(other.take()).toEqual([]);
  expect(eventKinds()).toEqual(['node.ready h1', 'node.ready h2', 'node.lost h1']);
});

test('a host has no session, then one that waits for its tables, then a ready one', async () => {
  const revision = script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
  expect(feed.sessionOf(nodeId(1))).toEqual({ state: 'none', since: { revision: 3n } });
  const agent = new MemoryAgent(scriptNode(1));
  agent.backlog = backlogLimit;
  await clock.advance(seconds(1));
  await connect(agent);
  const since = { revision, time: clock.wall() };
  expect(feed.sessionOf(nodeId(1))).toEqual({ state: 'syncing', since });
  agent.backlog = 0;
  await clock.advance(milliseconds(100));
  expect(feed.sessionOf(nodeId(1))).toEqual({ state: 'ready', since });
  agent.hangUp();
  await settle();
  expect(feed.sessionOf(nodeId(1))).toEqual({ state: 'none', since: { revision, time: clock.wall() } });
});

test('the hosts of a network are those with an endpoint', () => {
  script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 2 });
  expect([feed.hostsOf(networkId(7)), feed.hostsOf(networkId(8))]).toEqual([[nodeId(2)], []]);
});

test('a host without a session: since when, and why', async () => {
  const began = clock.wall();
  await clock.advance(seconds(2));
  expect(feed.absenceOf(nodeId(1)), 'not since this manager leads').toEqual({ since: began, reason: '' });
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  expect(feed.absenceOf(nodeId(1))).toEqual({ since: clock.wall(), reason: '' });
  agent.hangUp();
  await settle();
  const lost = clock.wall();
  await clock.advance(seconds(3));
  expect(feed.absenceOf(nodeId(1))).toEqual({ since: lost, reason: expect.stringContaining('the connection broke') });
});

test('a host that is removed leaves nothing behind', async () => {
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  agent.hangUp();
  await settle();
  script.commit({ put: 'node', node: 1, underlayMtu: 9000 });
  expect(feed.absenceOf(nodeId(1)).reason).not.toBe('');
  script.commit({ delete: 'node', node: 1 });
  expect(feed.absenceOf(nodeId(1)).reason).toBe('');
});
