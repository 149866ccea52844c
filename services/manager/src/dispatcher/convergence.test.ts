import { type FeedVersion, feedVersions, tableDigest } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { View } from '../store/view.ts';
import { HeldNetworks } from '../testing/held-networks.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { nodeId, type ScriptWrite, scriptCluster, scriptNode, ViewScript } from '../testing/view-script.ts';
import { Dispatcher } from './dispatcher.ts';
import { backlogLimit } from './session.ts';

/**
 * Whatever happens to intent, sessions and connections: once everything has room again, an agent that only ever applied
 * the bytes it was sent holds exactly the view's networks of its host, and its own sums equal the digests it was told.
 * So it is with agents and managers of different feed versions.
 */
const nodes = [1, 2, 3] as const;
const networks = [1, 2] as const;
const former = feedVersions.slice(0, 1);
/** What the agent of a host understands. */
const feedsOf = (node: number): readonly FeedVersion[] => (node === 1 ? former : feedVersions);

type Action =
  | { readonly do: 'write'; readonly writes: readonly ScriptWrite[] }
  | { readonly do: 'reset'; readonly writes: readonly ScriptWrite[] }
  | { readonly do: 'hang up' | 'connect' | 'stall' | 'flow'; readonly node: number }
  | { readonly do: 'another manager' | 'a former manager' };

const write: fc.Arbitrary<ScriptWrite> = fc.oneof(
  { weight: 6, arbitrary: endpoint('put') },
  { weight: 4, arbitrary: endpoint('delete') },
  fc.record({
    put: fc.constant('network' as const),
    network: fc.constantFrom(...networks),
    mtu: fc.constantFrom(1400, 1450),
  }),
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
      do: fc.constantFrom('hang up' as const, 'connect' as const, 'stall' as const, 'flow' as const),
      node: fc.constantFrom(...nodes),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('another manager' as const, 'a former manager' as const) }) },
);

/** An endpoint keeps its network and node for life, as endpoints do. */
function endpoint(kind: 'put' | 'delete'): fc.Arbitrary<ScriptWrite> {
  return fc.integer({ min: 2, max: 13 }).map((n): ScriptWrite => {
    const network = networks[n % 2] ?? 1;
    return kind === 'put'
      ? { put: 'endpoint', endpoint: n, network, node: nodes[n % 3] ?? 1 }
      : { delete: 'endpoint', endpoint: n, network };
  });
}

test('agents that apply what they are sent always end at the view', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
      const world = new World();
      await world.begin();
      for (const step of actions) await world.act(step);
      await world.settle();
      for (const node of nodes) expect(world.heldBy(node)).toEqual(world.intendedFor(node));
      await world.end();
    }),
    { numRuns: 60 },
  );
});

class World {
  readonly #clock = new FakeClock();
  readonly #script = new ViewScript();
  #view: View = this.#script.view;
  #feeds = feedVersions;
  #dispatcher = this.#newDispatcher();
  readonly #agents = new Map<number, MemoryAgent>();

  async begin(): Promise<void> {
    for (const node of nodes) this.#script.commit({ put: 'node', node });
    for (const network of networks) this.#script.commit({ put: 'network', network });
    await this.#lead();
    for (const node of nodes) await this.#connect(node);
  }

  async act(action: Action): Promise<void> {
    switch (action.do) {
      case 'write':
        this.#script.commit(...unique(action.writes));
        break;
      case 'reset':
        this.#script.reset(...unique(action.writes));
        break;
      case 'hang up':
        this.#agents.get(action.node)?.hangUp();
        break;
      case 'connect':
        await this.#connect(action.node);
        break;
      case 'stall':
        this.#setBacklog(action.node, backlogLimit);
        break;
      case 'flow':
        this.#setBacklog(action.node, 0);
        break;
      case 'another manager':
      case 'a former manager':
        this.#feeds = action.do === 'a former manager' ? former : feedVersions;
        await this.#dispatcher.stop();
        this.#view = this.#script.fresh();
        this.#script.view = this.#view;
        this.#dispatcher = this.#newDispatcher();
        await this.#lead();
        break;
    }
    await this.#clock.advance(milliseconds(1));
  }

  /** Everybody is connected and has room. */
  async settle(): Promise<void> {
    for (const node of nodes) {
      this.#setBacklog(node, 0);
      if (this.#agents.get(node)?.closed !== undefined || !this.#dispatcher.isReady(nodeId(node)))
        await this.#connect(node);
    }
    await this.#clock.advance(milliseconds(200));
  }

  async end(): Promise<void> {
    await this.#dispatcher.stop();
  }

  heldBy(node: number): object {
    const held = this.#agents.get(node)?.holds.held ?? new Map();
    return Object.fromEntries(
      [...held].sort().map(([id, { feed, digest, rows }]) => [id, { feed, digest, rows: [...rows.keys()].sort() }]),
    );
  }

  /** Summed up from nothing, by the definition. */
  intendedFor(node: number): object {
    const feed = feedsOf(node).findLast((each) => this.#feeds.includes(each));
    if (feed === undefined) throw new Error('no version in common');
    const intended = [...this.#view.networksOn(nodeId(node))].sort().map((id) => {
      const network = this.#view.networks.get(id)?.value;
      if (network === undefined) throw new Error('an endpoint of no network');
      const rows = Array.from(this.#view.endpointsOf(id).values(), ({ value }) => {
        const vtep = this.#view.nodes.get(value.node)?.value.dataPath;
        if (vtep === undefined) throw new Error('an endpoint of no node');
        return { ...value, vtep };
      });
      const digest = tableDigest(feed, network, rows);
      return [id, { feed, digest, rows: rows.map((row) => row.id).sort() }];
    });
    return Object.fromEntries(intended);
  }

  #newDispatcher(): Dispatcher {
    const view = this.#view;
    const registrar = { register: async () => view.revision };
    const teller = { tell: () => undefined, repaired: () => undefined };
    return new Dispatcher(
      { view, registrar, teller, clock: this.#clock, log: new MemoryLog() },
      { address: 'm1:7443', feeds: this.#feeds },
    );
  }

  async #lead(): Promise<void> {
    await this.#dispatcher.start();
    void this.#dispatcher.run({ revision: this.#script.lead('m'), signal: new AbortController().signal });
  }

  async #connect(node: number): Promise<void> {
    const agent = new MemoryAgent(scriptNode(node), this.#agents.get(node)?.holds ?? new HeldNetworks(feedsOf(node)));
    this.#agents.get(node)?.hangUp();
    this.#agents.set(node, agent);
    agent.hello({ clusterId: scriptCluster });
    void this.#dispatcher.accept(agent);
    await this.#clock.advance(milliseconds(1));
  }

  #setBacklog(node: number, bytes: number): void {
    const agent = this.#agents.get(node);
    if (agent !== undefined) agent.backlog = bytes;
  }
}

/** One write a key, as in a transaction. */
function unique(writes: readonly ScriptWrite[]): ScriptWrite[] {
  const key = (of: ScriptWrite): string =>
    'endpoint' in of ? `e${of.endpoint}` : 'node' in of ? `h${of.node}` : `n${of.network}`;
  return [...new Map(writes.map((of) => [key(of), of])).values()];
}
