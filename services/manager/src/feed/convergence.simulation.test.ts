import {
  type EndpointRow,
  type FeedVersion,
  feedVersions,
  Ip,
  isKnown,
  type Network,
  Prefix,
  type SentNetwork,
  Vni,
} from '@causeway/model';
import { type Duration, milliseconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { View } from '../store/view.ts';
import { HeldNetworks } from '../testing/held-networks.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { networkId, nodeId, type ScriptWrite, scriptCluster, scriptNode, ViewScript } from '../testing/view-script.ts';
import { Feed } from './feed.ts';
import { entryOverhead, rowBytes } from './history.ts';
import { backlogLimit } from './subscriptions.ts';

/**
 * Whatever happens to intent, sessions and connections: when all connections have room again, an agent that only applied the
 * bytes it was sent holds exactly the view's networks of its host, field by field. The same holds at every Ready, and with
 * agents and managers of different feed versions. The test compares fields and not digests: a digest that missed a field
 * would be the same on both sides.
 */
const nodes = [1, 2, 3] as const;
const networks = [1, 2] as const;
const former = feedVersions.slice(0, 1);
/** Room for about four steps of all networks, so that an agent that is away for a while has missed more. */
const historyBytes = 4 * (entryOverhead + rowBytes);
/** Feed versions that the agent of a host speaks. */
const feedsOf = (node: number): readonly FeedVersion[] => (node === 1 ? former : feedVersions);

type Action =
  | { readonly do: 'write'; readonly writes: readonly ScriptWrite[] }
  | { readonly do: 'reset'; readonly writes: readonly ScriptWrite[] }
  | { readonly do: 'hang up' | 'connect' | 'connect behind' | 'stall' | 'flow' | 'slip'; readonly node: number }
  | { readonly do: 'be away'; readonly node: number; readonly missed: readonly (readonly ScriptWrite[])[] }
  | { readonly do: 'another manager' | 'a former manager' };

const [prefix, gateway] = [Prefix('10.9.0.0/16'), Ip('10.9.0.1')];
const forms: readonly Partial<Network>[] = [
  {},
  { mtu: { kind: 'automatic', bytes: 1400 } },
  { vni: Vni(77) },
  { subnets: [{ prefix, gateway }] },
  { subnets: [{ prefix }] },
  { subnets: [{ prefix, gateway }, { prefix: Prefix('fd09::/64') }] },
];

const write: fc.Arbitrary<ScriptWrite> = fc.oneof(
  { weight: 6, arbitrary: endpoint('put') },
  { weight: 4, arbitrary: endpoint('delete') },
  {
    weight: 2,
    arbitrary: fc.record({
      put: fc.constant('network' as const),
      network: fc.constantFrom(...networks),
      as: fc.constantFrom(...forms),
    }),
  },
  fc.record({ delete: fc.constant('network' as const), network: fc.constantFrom(...networks) }),
  fc.record({
    put: fc.constant('node' as const),
    node: fc.constantFrom(...nodes),
    vtep: fc.constantFrom('192.0.2.7', '2001:db8::7'),
  }),
);

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      writes: fc.array(write, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), writes: fc.array(write, { maxLength: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(...(['hang up', 'connect', 'connect behind', 'stall', 'flow', 'slip'] as const)),
      node: fc.constantFrom(...nodes),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('be away' as const),
      node: fc.constantFrom(...nodes),
      missed: fc.array(fc.array(write, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('another manager' as const, 'a former manager' as const) }) },
);

/** An endpoint never changes its network and its node. */
function endpoint(kind: 'put' | 'delete'): fc.Arbitrary<ScriptWrite> {
  return fc.integer({ min: 2, max: 13 }).map((n): ScriptWrite => {
    const network = networks[n % 2] ?? 1;
    return kind === 'put'
      ? { put: 'endpoint', endpoint: n, network, node: nodes[n % 3] ?? 1 }
      : { delete: 'endpoint', endpoint: n, network };
  });
}

/** How often each kind of event happened in all runs together. */
const reach = {
  ...{ vanished: 0, resyncs: 0, evicted: 0, continued: 0, whole: 0, withdrawn: 0, ready: 0, stalled: 0 },
  /** Deltas of several changes. */
  together: 0,
};

/** Pause after a network's changes, ms. An action takes 1 ms. */
const pauses = [0, 0, 3, 20];

test('agents that apply what they are sent always end at the view', async () => {
  const runs = fc.tuple(fc.array(action, { minLength: 10, maxLength: 60 }), fc.constantFrom(...pauses));
  await fc.assert(
    fc.asyncProperty(runs, async ([actions, pause]) => {
      const world = new World(milliseconds(pause));
      await world.begin();
      for (const step of actions) await world.act(step);
      await world.settle();
      for (const node of nodes) expect(world.heldBy(node)).toEqual(world.intendedFor(node));
      expect(world.faults).toEqual([]);
      await world.end();
    }),
    { numRuns: 100 },
  );
  // If an event never happens in the runs, they prove nothing about it.
  for (const [what, count] of Object.entries(reach)) expect(count, what).toBeGreaterThan(5);
});

class World {
  readonly #pause: Duration;
  readonly #clock = new FakeClock();
  readonly #script = new ViewScript();
  #view: View = this.#script.view;
  #feeds = feedVersions;
  #feed: Feed;
  readonly #agents = new Map<number, MemoryAgent>();
  /** The manager that the agent had its last session with; absent: the agent has lost its place since. */
  readonly #servedBy = new Map<number, Feed>();
  readonly faults: string[] = [];

  constructor(pause: Duration) {
    this.#pause = pause;
    this.#feed = this.#newFeed();
  }

  async begin(): Promise<void> {
    for (const node of nodes) this.#script.commit({ put: 'node', node });
    for (const network of networks) this.#script.commit({ put: 'network', network });
    await this.#lead();
    for (const node of nodes) await this.#connect(node);
  }

  async act(action: Action): Promise<void> {
    switch (action.do) {
      case 'write':
        this.#script.commit(...this.#allowed(action.writes));
        break;
      case 'reset':
        this.#script.reset(...this.#allowed(action.writes));
        break;
      case 'hang up':
        this.#agents.get(action.node)?.hangUp();
        break;
      case 'connect':
        await this.#connect(action.node);
        break;
      case 'connect behind':
        await this.#connect(action.node, backlogLimit);
        break;
      case 'be away':
        this.#agents.get(action.node)?.hangUp();
        await this.#clock.advance(milliseconds(1));
        for (const writes of action.missed) this.#script.commit(...this.#allowed(writes));
        await this.#connect(action.node);
        break;
      case 'stall':
        reach.stalled++;
        this.#setBacklog(action.node, backlogLimit);
        break;
      case 'slip':
        this.#slip(action.node);
        break;
      case 'flow':
        this.#setBacklog(action.node, 0);
        break;
      case 'another manager':
      case 'a former manager':
        this.#feeds = action.do === 'a former manager' ? former : feedVersions;
        await this.#feed.stop();
        this.#view = this.#script.fresh();
        this.#script.view = this.#view;
        this.#feed = this.#newFeed();
        await this.#lead();
        break;
    }
    await this.#clock.advance(milliseconds(1));
  }

  /** Writes as managers make them: a network is deleted with all its endpoints, and each key is written once. */
  #allowed(writes: readonly ScriptWrite[]): readonly ScriptWrite[] {
    const gone = new Set(writes.flatMap((of) => ('delete' in of && of.delete === 'network' ? [of.network] : [])));
    const isThere = (n: number): boolean => this.#view.networks.has(networkId(n)) && !gone.has(n);
    const others = writes.filter(
      (of) => ('put' in of && of.put === 'node') || ('network' in of && isThere(of.network)),
    );
    const back = writes.filter((of) => 'put' in of && of.put === 'network' && !gone.has(of.network));
    const removed = [...gone].filter((n) => this.#view.networks.has(networkId(n)));
    reach.vanished += removed.length;
    const left = removed.flatMap((network): ScriptWrite[] => [
      ...Array.from(this.#view.endpointsOf(networkId(network)).keys(), (id): ScriptWrite => {
        return { delete: 'endpoint', endpoint: Number.parseInt(id.slice(1), 16), network };
      }),
      { delete: 'network', network },
    ]);
    const key = (of: ScriptWrite): string =>
      'endpoint' in of ? `e${of.endpoint}` : 'node' in of ? `h${of.node}` : `n${of.network}`;
    return [...new Map([...others, ...back, ...left].map((of) => [key(of), of])).values()];
  }

  /** Connects every agent and gives every connection room. */
  async settle(): Promise<void> {
    for (const node of nodes) {
      this.#setBacklog(node, 0);
      if (this.#agents.get(node)?.closed !== undefined || !this.#feed.isReady(nodeId(node))) await this.#connect(node);
    }
    await this.#clock.advance(milliseconds(200));
  }

  async end(): Promise<void> {
    await this.#feed.stop();
  }

  heldBy(node: number): object {
    const { held, feeds } = this.#agents.get(node)?.holds ?? new HeldNetworks();
    expect([...held.values()].every(({ feed }) => feeds.includes(feed))).toBe(true);
    return Object.fromEntries(
      [...held].sort().map(([id, { network, rows }]) => [id, printed(network, rows.endpoint.values())]),
    );
  }

  /** What the host should have by the view's records, field by field. Networks without a record are left out. */
  intendedFor(node: number): object {
    const ids = [...this.#view.networksOn(nodeId(node))].sort();
    return Object.fromEntries(
      ids.flatMap((id) => {
        const network = this.#view.networks.get(id)?.value;
        if (network === undefined) return [];
        const rows = Array.from(this.#view.endpointsOf(id).values(), ({ value }) => {
          const vtep = this.#view.nodes.get(value.node)?.value.dataPath;
          if (vtep === undefined) throw new Error('an endpoint of no node');
          return { ...value, vtep };
        });
        return [[id, printed(network, rows)]];
      }),
    );
  }

  /** The agent gets a wrong revision: the next delta does not follow, and the agent asks for the whole network. */
  #slip(node: number): void {
    const held = this.#agents.get(node)?.holds.held;
    this.#servedBy.delete(node);
    for (const [id, network] of held ?? []) held?.set(id, { ...network, revision: network.revision - 1n });
  }

  /**
   * Checks at Ready that the agent has exactly what its host should have. `continuing`: networks that the agent has at a
   * revision from which this manager once had the next step.
   */
  #listen(node: number, agent: MemoryAgent, continuing: ReadonlySet<string>): void {
    const send = agent.send.bind(agent);
    let isReady = false;
    agent.send = (bytes) => {
      send(bytes);
      const line = agent.received.at(-1) ?? '';
      if (line.endsWith('BREAK')) reach.resyncs++;
      else if (line.startsWith('delta')) reach.continued++;
      if (this.#pause > 0 && revisionsOf(line) > 1n) reach.together++;
      if (line.startsWith('complete')) reach.whole++;
      if (line.startsWith('complete') && !isReady && continuing.has(line.split(' ')[1] ?? '')) reach.evicted++;
      if (line.startsWith('withdraw')) reach.withdrawn++;
      if (!line.startsWith('ready')) return;
      isReady = true;
      reach.ready++;
      const [has, should] = [this.heldBy(node), this.intendedFor(node)].map((of) => JSON.stringify(of));
      if (has !== should) this.faults.push(`h${node} got Ready with ${has}, and should have ${should}`);
    };
  }

  #newFeed(): Feed {
    const view = this.#view;
    const registrar = { register: async () => view.revision };
    const sink = { emit: () => undefined, repaired: () => undefined };
    const keys = {
      reserveIndex: () => Promise.reject(new Error('no keys')),
      publish: () => Promise.reject(new Error('no keys')),
    };
    return new Feed(
      { view, registrar, keys, sink, clock: this.#clock, log: new MemoryLog() },
      { address: 'm1:7443', feeds: this.#feeds, historyBytes, pause: () => this.#pause },
    );
  }

  async #lead(): Promise<void> {
    await this.#feed.start();
    void this.#feed.run({ revision: this.#script.lead('m'), signal: new AbortController().signal });
  }

  async #connect(node: number, backlog = 0): Promise<void> {
    const agent = new MemoryAgent(scriptNode(node), this.#agents.get(node)?.holds ?? new HeldNetworks(feedsOf(node)));
    agent.backlog = backlog;
    this.#agents.get(node)?.hangUp();
    this.#agents.set(node, agent);
    const knows = this.#servedBy.get(node) === this.#feed;
    this.#servedBy.set(node, this.#feed);
    this.#listen(
      node,
      agent,
      new Set(knows ? Array.from(agent.holds.held.values(), ({ network }) => network.name) : []),
    );
    agent.hello({ clusterId: scriptCluster });
    void this.#feed.accept(agent);
    await this.#clock.advance(milliseconds(1));
  }

  #setBacklog(node: number, bytes: number): void {
    const agent = this.#agents.get(node);
    if (agent !== undefined) agent.backlog = bytes;
  }
}

/** How many revisions a delta covers, by its line; 0 for other lines. */
function revisionsOf(line: string): bigint {
  const [, from, to] = /^delta \S+ (\d+)->(\d+)/.exec(line) ?? [];
  return BigInt(to ?? 0) - BigInt(from ?? 0);
}

/** Everything in a table that a host programs, in words. */
function printed(network: SentNetwork, rows: Iterable<EndpointRow>): readonly string[] {
  const { name, mtu, subnets } = network;
  const vni = isKnown(network) ? network.vni : network.sentVni;
  const where = subnets.map((subnet) => `${subnet.prefix} ${subnet.gateway ?? 'no gateway'}`);
  const lines = Array.from(rows, ({ id, name: own, node, mac, vtep, addresses }) =>
    [id, own, node, mac, vtep, ...addresses].join(' '),
  );
  return [`${name} ${vni} ${mtu.bytes} ${where}`, ...lines.sort()];
}
