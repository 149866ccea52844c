import { milliseconds, seconds } from '@causeway/runtime';
import { beforeEach, describe, expect, test } from 'vitest';
import { clock, connect, feed, replaceFeed, script, settle, useFeed } from '../testing/feed-fixture.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { networkId, scriptNode } from '../testing/view-script.ts';
import { mostAtOnce } from './delivery.ts';
import { backlogLimit } from './subscriptions.ts';

useFeed();

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
    await replaceFeed({ pause: (hosts) => milliseconds((pause * hosts) / 2) });
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
