import { expect, test } from 'vitest';
import { connect, eventKinds, feed, script, settle, useFeed } from '../testing/feed-fixture.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { nodeId, scriptNode } from '../testing/view-script.ts';

useFeed();

const removal = [
  { delete: 'node', node: 1 },
  { put: 'removed', node: 1 },
] as const;

test('a session of a removed host ends when the view knows of the removal, without an event that the host is lost', async () => {
  const [agent, other] = [await connect(new MemoryAgent(scriptNode(1))), await connect(new MemoryAgent(scriptNode(2)))];
  const before = eventKinds();
  script.commit(...removal);
  expect(agent.closed?.error).toMatchObject({ code: 'node-removed', message: expect.stringContaining('join again') });
  expect([feed.isReady(nodeId(1)), feed.sessionOf(nodeId(1)).state, other.closed]).toEqual([false, 'none', undefined]);
  await settle();
  expect(eventKinds()).toEqual(before);
});

test('a view that begins again ends the sessions of hosts that were removed meanwhile', async () => {
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  script.reset(...removal);
  expect(agent.closed?.error?.code).toBe('node-removed');
});

test('a host that was removed gets no session', async () => {
  script.commit(...removal);
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  expect(agent.received).toEqual([]);
  expect(agent.closed?.error?.code).toBe('node-removed');
});
