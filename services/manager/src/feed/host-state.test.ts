import { expect, test } from 'vitest';
import { connect, script, useFeed } from '../testing/feed-fixture.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { scriptNode } from '../testing/view-script.ts';

useFeed();

test('an agent is told when its host is drained, and when the drain ends; other agents are not', async () => {
  const [agent, other] = [await connect(new MemoryAgent(scriptNode(1))), await connect(new MemoryAgent(scriptNode(2)))];
  for (const each of [agent, other]) each.take();
  script.commit({ put: 'node', node: 1, drained: true });
  expect(agent.take()).toEqual(['host drained=true']);
  script.commit({ put: 'node', node: 1, drained: true, underlayMtu: 1400 });
  expect(agent.take()).toEqual([]);
  script.commit({ put: 'node', node: 1 });
  expect(agent.take()).toEqual(['host drained=false']);
  expect(other.take()).toEqual([]);
});

test('an agent of a drained host is told right after its Welcome', async () => {
  script.commit({ put: 'node', node: 1, drained: true });
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  expect(agent.take()).toEqual(['welcome term=3', 'host drained=true', 'ready @4']);
});

test('a view that begins again tells every agent the state of its host', async () => {
  const agent = await connect(new MemoryAgent(scriptNode(1)));
  agent.take();
  script.reset({ put: 'node', node: 1, drained: true });
  expect(agent.take()).toEqual(['host drained=true']);
});
