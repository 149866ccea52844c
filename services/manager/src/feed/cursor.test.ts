import { Ip, type Network, Prefix, Vni } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { clock, connect, feed, held, lead, log, newFeed, script, settle, useFeed } from '../testing/feed-fixture.ts';
import type { HeldNetworks } from '../testing/held-networks.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { networkId, scriptCluster, scriptNetwork, scriptNode } from '../testing/view-script.ts';
import { historyRows } from './history.ts';

useFeed();

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

test('a view that does not catch up with an agent is logged, and the agent is admitted all the same', async () => {
  const cursor = { networkId: networkId(7), revision: script.revision + 1n, digest: 0n, feedVersion: 1 };
  const agent = new MemoryAgent(scriptNode(1));
  agent.hello({ clusterId: scriptCluster, cursors: [cursor] });
  void feed.accept(agent);
  await clock.advance(milliseconds(4_900));
  expect([agent.take(), log.lines.filter(({ event }) => event === 'session.ahead')]).toEqual([[], []]);
  await clock.advance(milliseconds(200));
  expect(agent.take()[0]).toBe('welcome term=3');
  expect(log.lines.filter(({ event }) => event === 'session.ahead')).toHaveLength(1);
});

test('of the networks that an agent names, the host may hold those that exist', async () => {
  const agent = new MemoryAgent(scriptNode(1));
  const cursors = [7, 8].map((n) => ({ networkId: networkId(n), revision: 0n, digest: 0n, feedVersion: 1 }));
  agent.hello({ clusterId: scriptCluster, cursors });
  void feed.accept(agent);
  await settle();
  expect(feed.progress.of(networkId(7))).toEqual({ floor: 0n });
  expect(feed.progress.of(networkId(8))).toEqual({});
});
