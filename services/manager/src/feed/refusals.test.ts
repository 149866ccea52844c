import { ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { describe, expect, test } from 'vitest';
import { connect, eventKinds, feed, log, script, useFeed } from '../testing/feed-fixture.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { nodeId, scriptNode } from '../testing/view-script.ts';

useFeed();

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

  test('a connection that fails is the end of its session only, and the agent does not see why', async () => {
    const closed: unknown[] = [];
    await feed.accept({
      ...{
        peer: { kind: 'agent', node: scriptNode(1).id } as const,
        backlog: 0,
        send: () => undefined,
        close: (error) => void closed.push(error),
      },
      requests: {
        [Symbol.asyncIterator]() {
          throw new Error('a bug');
        },
      },
    });
    expect(closed).toMatchObject([{ code: 'internal', message: expect.not.stringContaining('a bug') }]);
    expect(log.lines.map(({ event, level }) => `${level} ${event}`)).toEqual(['error session.failed']);
  });

  test('a session that is refused with a code is logged as a warning', async () => {
    const agent = new MemoryAgent(scriptNode(1));
    agent.hello({ clusterId: 'dddddddddddddddd' });
    await feed.accept(agent);
    expect(log.lines.map(({ event, level }) => `${level} ${event}`)).toEqual(['warn session.refused']);
  });

  test('a second session of a host ends the first, and that is not a loss', async () => {
    const first = await connect(new MemoryAgent(scriptNode(1)));
    await connect(new MemoryAgent(scriptNode(1)));
    expect(first.take().at(-1)).toBe('goodbye ');
    const last = ConnectResponse.fromBinary(first.bytes.at(-1) ?? new Uint8Array()).message;
    expect(last.oneofKind === 'goodbye' && last.goodbye.taken, 'so that the agent does not come back at once').toBe(
      true,
    );
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
