import { CausewayError, Ip, type Network, type Node, Prefix, Vni } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { driftRepaired } from '../events/describe.ts';
import type { EventInput } from '../events/event-input.ts';
import type { EventSink } from '../events/event-sink.ts';
import type { View } from '../store/view.ts';
import type { HeldNetworks } from '../testing/held-networks.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import {
  endpointId,
  networkId,
  nodeId,
  scriptCluster,
  scriptNetwork,
  scriptNode,
  ViewScript,
} from '../testing/view-script.ts';
import { mostAtOnce } from './delivery.ts';
import { Feed, type FeedSettings } from './feed.ts';
import { historyRows } from './history.ts';
import { backlogLimit } from './subscriptions.ts';

let clock: FakeClock;
let script: ViewScript;
let feed: Feed;
let term: AbortController;
let emitted: EventInput[];
let registered: Node[];

beforeEach(async () => {
  clock = new FakeClock();
  script = new ViewScript();
  emitted = [];
  registered = [];
  script.commit({ put: 'node', node: 1 }, { put: 'node', node: 2 }, { put: 'network', network: 7 });
  feed = newFeed(script.view);
  await feed.start();
  term = lead(feed, script.lead('m1'));
});

afterEach(async () => {
  await feed.stop();
});

/** Begins a term. The returned controller ends the term. */
function lead(which: Feed, revision: bigint): AbortController {
  const end = new AbortController();
  void which.run({ revision, signal: end.signal });
  return end;
}

function newFeed(view: View, settings: Partial<FeedSettings> = {}): Feed {
  const register = async (node: Node): Promise<bigint> => {
    if (node.name === 'taken') throw new CausewayError('name-taken', 'node name "taken" is taken');
    registered.push(node);
    return view.revision;
  };
  const sink: EventSink = {
    emit: (event) => void emitted.push(event),
    repaired: (host, drift) => void emitted.push(driftRepaired({ ...drift, host }, 1, [])),
  };
  return new Feed(
    { view, registrar: { register }, sink, clock, log: new MemoryLog() },
    { address: 'm1:7443', ...settings },
  );
}

async function connect(agent: MemoryAgent, to: Feed = feed): Promise<MemoryAgent> {
  agent.hello({ clusterId: agent.holds.held.size > 0 ? scriptCluster : '' });
  void to.accept(agent);
  await settle();
  return agent;
}

const settle = (): Promise<void> => clock.advance(milliseconds(0));

const eventKinds = (): string[] => emitted.map(({ kind, host }) => `${kind} ${host}`);

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

function held(agent: MemoryAgent): NonNullable<ReturnType<HeldNetworks['held']['get']>> {
  const network = agent.holds.held.get(networkId(7));
  if (network === undefined) throw new Error('the agent does not hold n7');
  return network;
}

describe('a session that begins from a cursor', () => {
  const away = async (): Promise<HeldNetworks> => {
    script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    agent.hangUp();
    await settle();
    return agent.holds;
  };

  test.each<[string, () => void, string[]]>([
    ['nothing missed', () => undefined, []],
    [
      'two changes missed',
      () => {
        script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 2 });
        script.commit(
          { delete: 'endpoint', endpoint: 10, network: 7 },
          { put: 'endpoint', endpoint: 11, network: 7, node: 2 },
        );
      },
      ['delta n7 4->6 +1 -0'],
    ],
    [
      'more missed than history has',
      () => {
        for (let i = 0; i <= historyRows; i++)
          script.commit({ put: 'endpoint', endpoint: 100 + i, network: 7, node: 2 });
      },
      [`complete n7 @${4 + historyRows + 1} rows=${historyRows + 2}`],
    ],
    [
      'its endpoint is gone',
      () => void script.commit({ delete: 'endpoint', endpoint: 9, network: 7 }),
      ['withdraw n7'],
    ],
    [
      'the network is gone',
      () => void script.commit({ delete: 'endpoint', endpoint: 9, network: 7 }, { delete: 'network', network: 7 }),
      ['withdraw n7'],
    ],
  ])('%s', async (_name, meanwhile, expected) => {
    const holds = await away();
    meanwhile();
    const agent = await connect(new MemoryAgent(scriptNode(1), holds));
    expect(agent.take()).toEqual(['welcome term=3', ...expected, `ready @${script.revision}`]);
  });

  const [prefix, gateway] = [Prefix('10.7.0.0/16'), Ip('10.7.0.1')];
  test.each<Partial<Network>>([
    { mtu: { kind: 'automatic', bytes: 1400 } },
    { vni: Vni(77) },
    { subnets: [{ prefix }] },
    { subnets: [{ prefix, gateway: Ip('10.7.0.9') }] },
    { subnets: [{ prefix, gateway }, { prefix: Prefix('fd07::/64') }] },
    { subnets: [{ prefix: Prefix('10.7.0.0/17'), gateway }] },
    { internal: true },
  ])('gets what was changed of the network itself, and nothing else was: %o', async (as) => {
    const holds = await away();
    script.commit({ put: 'network', network: 7, as });
    const agent = await connect(new MemoryAgent(scriptNode(1), holds));
    expect(agent.take()).toEqual(['welcome term=3', 'delta n7 4->5 +0 -0', 'ready @5']);
    expect(held(agent).network).toEqual({ ...scriptNetwork(7), ...as });
  });

  test('with another digest gets the network whole', async () => {
    const holds = await away();
    for (const [id, network] of holds.held) holds.held.set(id, { ...network, digest: network.digest + 1n });
    const agent = await connect(new MemoryAgent(scriptNode(1), holds));
    expect(agent.take()).toEqual(['welcome term=3', 'complete n7 @4 rows=1', 'ready @4']);
  });

  test('with another digest is not continued by what history has from its revision', async () => {
    const holds = await away();
    for (const [id, network] of holds.held) holds.held.set(id, { ...network, digest: network.digest + 1n });
    script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 2 });
    const agent = await connect(new MemoryAgent(scriptNode(1), holds));
    expect(agent.take()).toEqual(['welcome term=3', 'complete n7 @5 rows=2', 'ready @5']);
  });

  test('of another epoch gets the network whole', async () => {
    const holds = await away();
    const agent = new MemoryAgent(scriptNode(1), holds);
    agent.hello({ clusterId: scriptCluster, epoch: 2n });
    void feed.accept(agent);
    await settle();
    expect(agent.take()).toEqual(['welcome term=3', 'complete n7 @4 rows=1', 'ready @4']);
  });

  test('at another manager, which knows no past, gets an empty step when it holds the present', async () => {
    const holds = await away();
    script.commit({ put: 'network', network: 8 });
    const other = newFeed(script.fresh());
    await other.start();
    lead(other, script.revision);
    const agent = await connect(new MemoryAgent(scriptNode(1), holds), other);
    expect(agent.take()).toEqual([`welcome term=5`, 'delta n7 4->5 +0 -0', 'ready @5']);
    await other.stop();
  });

  test('ahead of the view waits until the view has caught up', async () => {
    const holds = await away();
    for (const [id, network] of holds.held) holds.held.set(id, { ...network, revision: 6n });
    const agent = await connect(new MemoryAgent(scriptNode(1), holds));
    expect(agent.take()).toEqual([]);
    script.commit({ put: 'network', network: 8 });
    script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 2 });
    await settle();
    expect(agent.take()).toEqual(['welcome term=3', 'complete n7 @6 rows=2', 'ready @6']);
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

describe('refused with a code, and the manager goes on', () => {
  test.each<[string, (agent: MemoryAgent) => void, string]>([
    ['cluster of another', (agent) => agent.hello({ clusterId: 'dddddddddddddddd' }), 'cluster-mismatch'],
    [
      'no node',
      (agent) => agent.say({ oneofKind: 'hello', hello: { clusterId: '', epoch: 0n, cursors: [], feedVersions: [] } }),
      'invalid-argument',
    ],
    [
      'not hello first',
      (agent) => agent.say({ oneofKind: 'applied', applied: { networks: [], withdrawnIds: [] } }),
      'invalid-argument',
    ],
    ['name of another', (agent) => agent.hello(), 'name-taken'],
    [
      'hello twice',
      (agent) => {
        Object.assign(agent, { node: scriptNode(1) });
        agent.hello();
        agent.hello();
      },
      'invalid-argument',
    ],
  ])('%s', async (_name, say, code) => {
    const agent = new MemoryAgent({ ...scriptNode(1), name: 'taken' as never });
    say(agent);
    await feed.accept(agent);
    expect(agent.closed?.error?.code).toBe(code);
    expect((await connect(new MemoryAgent(scriptNode(2)))).take()).toContain('welcome term=3');
  });

  test('a second session of a host ends the first, and that is not a loss', async () => {
    const first = await connect(new MemoryAgent(scriptNode(1)));
    await connect(new MemoryAgent(scriptNode(1)));
    expect(first.take().at(-1)).toBe('goodbye ');
    expect(first.closed).toEqual({ error: undefined });
    expect(feed.isReady(nodeId(1))).toBe(true);
    expect(eventKinds()).toEqual(['node.ready h1']);
  });

  test('a host that replaces its session again and again causes no event', async () => {
    for (let time = 0; time < 100; time++) await connect(new MemoryAgent(scriptNode(1)));
    expect(eventKinds()).toEqual(['node.ready h1']);
  });

  test('the data path of a host that is there, and its identity from elsewhere, are refused; nothing is written', async () => {
    const first = await connect(new MemoryAgent(scriptNode(1)));
    const before = script.view.nodes.size;
    const neighbour = await connect(new MemoryAgent({ ...scriptNode(2), dataPath: scriptNode(1).dataPath }));
    expect(neighbour.closed?.error).toMatchObject({ code: 'address-in-use' });
    const copy = await connect(new MemoryAgent({ ...scriptNode(1), dataPath: scriptNode(3).dataPath }));
    expect(copy.closed?.error).toMatchObject({ code: 'node-in-use' });
    expect(first.closed).toBeUndefined();
    expect(script.view.nodes.size).toBe(before);
    expect(script.view.nodes.get(nodeId(1))?.value.dataPath).toBe(scriptNode(1).dataPath);
  });
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

test('a slow agent gets the newest state as one delta instead of a backlog', async () => {
  script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  agent.take();
  agent.backlog = backlogLimit;
  for (let i = 10; i < 20; i++) script.commit({ put: 'endpoint', endpoint: i, network: 7, node: 2 });
  await clock.advance(seconds(1));
  expect(agent.take()).toEqual([]);
  agent.backlog = 0;
  await clock.advance(milliseconds(100));
  expect(agent.take()).toEqual(['delta n7 4->14 +10 -0']);
  script.commit({ put: 'endpoint', endpoint: 30, network: 7, node: 2 });
  expect(agent.take()).toEqual(['delta n7 14->15 +1 -0']);
});

describe('changes of a network whose last changes were sent a moment ago', () => {
  /** For the two hosts of the network. */
  const pause = milliseconds(100);

  beforeEach(async () => {
    await feed.stop();
    feed = newFeed(script.view, { pause: (hosts) => milliseconds((pause * hosts) / 2) });
    await feed.start();
    term = lead(feed, script.revision);
    script.commit(
      { put: 'endpoint', endpoint: 9, network: 7, node: 1 },
      { put: 'endpoint', endpoint: 10, network: 7, node: 2 },
    );
    await clock.advance(pause);
  });

  test('go together when the pause ends; the first went at once', async () => {
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    agent.take();
    for (let i = 11; i < 20; i++) script.commit({ put: 'endpoint', endpoint: i, network: 7, node: 2 });
    script.commit({ delete: 'endpoint', endpoint: 10, network: 7 }, { delete: 'endpoint', endpoint: 19, network: 7 });
    expect(agent.take()).toEqual(['delta n7 4->5 +1 -0']);
    await clock.advance(milliseconds(pause - 1));
    expect(agent.take()).toEqual([]);
    await clock.advance(milliseconds(1));
    expect(agent.take()).toEqual(['delta n7 5->14 +7 -1']);
    await clock.advance(pause);
    script.commit({ put: 'endpoint', endpoint: 30, network: 7, node: 2 });
    expect(agent.take()).toEqual(['delta n7 14->15 +1 -0']);
  });

  test('do not delay another network', async () => {
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    script.commit({ put: 'network', network: 8 });
    script.commit({ put: 'endpoint', endpoint: 11, network: 7, node: 1 });
    script.commit({ put: 'endpoint', endpoint: 12, network: 7, node: 1 });
    agent.take();
    script.commit({ put: 'endpoint', endpoint: 13, network: 8, node: 1 });
    expect(agent.take()).toEqual(['complete n8 @8 rows=1']);
  });

  test('a session that begins in the pause gets them at once, and then only what came later', async () => {
    script.commit({ put: 'endpoint', endpoint: 11, network: 7, node: 2 });
    script.commit({ put: 'endpoint', endpoint: 12, network: 7, node: 2 });
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    expect(agent.take()).toEqual(['welcome term=3', 'complete n7 @6 rows=4', 'ready @6']);
    script.commit({ put: 'endpoint', endpoint: 13, network: 7, node: 2 });
    await clock.advance(pause);
    expect(agent.take()).toEqual(['delta n7 6->7 +1 -0']);
  });

  test('a host that joins and leaves in the pause counts until it reports that nothing is left', async () => {
    script.commit({ put: 'node', node: 3 });
    for (const n of [1, 2]) (await connect(new MemoryAgent(scriptNode(n)))).appliesAtOnce = true;
    const guest = await connect(new MemoryAgent(scriptNode(3)));
    script.commit({ put: 'endpoint', endpoint: 11, network: 7, node: 2 });
    script.commit({ put: 'endpoint', endpoint: 12, network: 7, node: 3 });
    const released = script.commit({ delete: 'endpoint', endpoint: 12, network: 7 });
    await clock.advance(pause);
    expect(guest.take().slice(-1)).toEqual([`withdraw ${networkId(7)}`]);
    expect(feed.progress.of(networkId(7)).floor).toBe(0n);
    guest.say({ oneofKind: 'applied', applied: { networks: [], withdrawnIds: [networkId(7)] } });
    await settle();
    expect(feed.progress.of(networkId(7)).floor).toBe(released);
  });
});

test('a network with many hosts is served in several turns, each host with the newest', async () => {
  const last = 2 * mostAtOnce;
  const vtep = (n: number): string => `198.51.${n >> 8}.${n & 255}`;
  for (let n = 1; n <= last; n++)
    script.commit(
      { put: 'node', node: n, vtep: vtep(n) },
      { put: 'endpoint', endpoint: 1000 + n, network: 7, node: n },
    );
  await clock.advance(seconds(1));
  const agents = await Promise.all([1, last].map((n) => connect(new MemoryAgent(scriptNode(n, vtep(n))))));
  for (const agent of agents) agent.take();
  const first = script.revision;
  script.commit({ delete: 'endpoint', endpoint: 1000 + 2, network: 7 });
  script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 2 });
  expect(agents.map((agent) => agent.take())).toEqual([[], []]);
  await settle();
  const line = `delta n7 ${first}->${script.revision} +1 -1`;
  expect(agents.map((agent) => agent.take())).toEqual([[line], [line]]);
});

describe('applied', () => {
  const summary = (revision: bigint) => feed.progress.summaryOf(networkId(7), revision);

  test('counts ready hosts of the network, names who is waited for and who has no session', async () => {
    script.commit({ put: 'node', node: 3 }, { put: 'node', node: 4 });
    const one = await connect(new MemoryAgent(scriptNode(1)));
    const two = await connect(new MemoryAgent(scriptNode(2)));
    await connect(new MemoryAgent(scriptNode(4))); // a host of another network: never counts
    script.commit(
      { put: 'endpoint', endpoint: 10, network: 7, node: 2 },
      { put: 'endpoint', endpoint: 11, network: 7, node: 3 },
    );
    two.applied();
    await settle();
    const revision = script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
    expect(summary(revision)).toEqual({
      revision,
      have: 0,
      want: 2,
      waiting: [nodeId(2), nodeId(1)],
      unreachable: [nodeId(3)],
      p99Ms: 0,
    });
    await clock.advance(milliseconds(40));
    one.applied();
    await settle();
    expect(summary(revision)).toMatchObject({
      have: 1,
      want: 2,
      waiting: [nodeId(2)],
      p99Ms: 40,
    });
    await clock.advance(milliseconds(60));
    two.applied();
    await settle();
    expect(summary(revision)).toMatchObject({ have: 2, want: 2, waiting: [], p99Ms: 100 });
  });

  test('a wait ends when the last ready host has it, or when that host is lost', async () => {
    script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 2 });
    const one = await connect(new MemoryAgent(scriptNode(1)));
    const two = await connect(new MemoryAgent(scriptNode(2)));
    const revision = script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
    const ended: string[] = [];
    const wait = (name: string): void =>
      void feed.progress.waitApplied(networkId(7), revision, new AbortController().signal).then(() => ended.push(name));
    wait('all');
    one.applied();
    await settle();
    expect(ended).toEqual([]);
    two.applied();
    await settle();
    expect(ended).toEqual(['all']);
    script.commit({ put: 'endpoint', endpoint: 12, network: 7, node: 2 });
    void feed.progress
      .waitApplied(networkId(7), script.revision, new AbortController().signal)
      .then(() => ended.push('without two'));
    one.applied();
    await settle();
    expect(ended).toEqual(['all']);
    two.hangUp();
    await settle();
    expect(ended).toEqual(['all', 'without two']);
  });

  test('a host cannot claim the future, nor speak of networks it is not on', async () => {
    const one = await connect(new MemoryAgent(scriptNode(1)));
    const two = await connect(new MemoryAgent(scriptNode(2)));
    const first = script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
    const claim = { networks: [{ networkId: networkId(7), revision: 1_000_000n }], withdrawnIds: [] };
    one.say({ oneofKind: 'applied', applied: claim });
    two.say({ oneofKind: 'applied', applied: claim });
    await settle();
    expect(summary(first)).toMatchObject({ have: 1, want: 1 });
    const second = script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 2 });
    expect(summary(second)).toMatchObject({ have: 0, want: 2 });
  });

  test('what a host had applied is unknown in its next session until it says so', async () => {
    const one = await connect(new MemoryAgent(scriptNode(1)));
    const revision = script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
    one.applied();
    await settle();
    const again = await connect(new MemoryAgent(scriptNode(1), one.holds));
    expect(summary(revision)).toMatchObject({ have: 0, want: 1, waiting: [nodeId(1)] });
    again.applied();
    await settle();
    expect(summary(revision)).toMatchObject({ have: 1, want: 1 });
  });
});

describe('verify', () => {
  const drift = { host: 'liar', network: 'n7', kind: 'fdb', key: 'k', actual: '', desired: 'x' };
  const [one, two, three] = [scriptNode(1), scriptNode(2), scriptNode(3)] as const;

  test('asks hosts with a session; an error, silence and absence are unreachable', async () => {
    const asked = await connect(new MemoryAgent(one));
    const failing = await connect(new MemoryAgent(two));
    const limit = new AbortController();
    const outcome = feed.verify([one, two, three], true, limit.signal);
    expect(asked.take().at(-1)).toBe('verify 1 repair=true');
    failing.say({ oneofKind: 'verifyResult', verifyResult: { call: 1n, drift: [], error: '' } }); // another host's call
    failing.say({ oneofKind: 'verifyResult', verifyResult: { call: 2n, drift: [], error: 'no netlink' } });
    asked.say({ oneofKind: 'verifyResult', verifyResult: { call: 1n, drift: [drift], error: '' } });
    expect(await outcome).toEqual({ drift: [{ ...drift, host: 'h1' }], checked: ['h1'], unreachable: ['h2', 'h3'] });
  });

  test('a host that does not answer in time, or whose session ends, is unreachable', async () => {
    await connect(new MemoryAgent(one));
    const leaving = await connect(new MemoryAgent(two));
    const limit = new AbortController();
    const outcome = feed.verify([one, two], false, limit.signal);
    leaving.hangUp();
    await settle();
    limit.abort();
    expect(await outcome).toEqual({ drift: [], checked: [], unreachable: ['h1', 'h2'] });
  });
});

test('reports: repairs are counted and recorded as events, a changed underlay MTU is registered', async () => {
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  const repaired = [
    { host: '', network: 'n7', kind: 'fdb', key: '02:42:0a:07:00:09', actual: '', desired: '192.0.2.2' },
  ];
  agent.say({
    oneofKind: 'report',
    report: { repairs: 3n, drift: 1, repaired, underlayMtu: 1400, networkDrift: {}, recovered: true, keptIds: [] },
  });
  await settle();
  expect(feed.factsOf(nodeId(1))).toMatchObject({ repairs: 3n, drift: 1, recovered: true });
  expect(eventKinds()).toEqual(['node.ready h1', 'drift.repaired h1']);
  expect(registered.at(-1)).toEqual({ ...scriptNode(1), underlayMtu: 1400 });
});

test('an endpoint that its host keeps without a record causes an event, an endpoint of another host does not', async () => {
  script.commit(
    { put: 'endpoint', endpoint: 9, network: 7, node: 1 },
    { put: 'endpoint', endpoint: 10, network: 7, node: 2 },
  );
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  const keptIds = [endpointId(9), endpointId(10), 'nonsense'];
  agent.say({
    oneofKind: 'report',
    report: { repairs: 0n, drift: 1, repaired: [], underlayMtu: 1500, networkDrift: {}, recovered: true, keptIds },
  });
  await settle();
  expect(emitted.slice(1)).toMatchObject([
    {
      kind: 'endpoint.kept',
      host: 'h1',
      network: 'n7',
      endpoint: 'e9',
      actor: 'agent/h1',
      message: expect.stringMatching(/^e9 .* kept on h1, .* attach it once more as it was, or detach it$/),
    },
  ]);
});
