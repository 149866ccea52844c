import { nodeKeysToMessage } from '@causeway/proto';
import { KeyReceipt, NodeKeys } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { beforeEach, describe, expect, test } from 'vitest';
import { clock, connect, feed, lead, log, script, settle, term, useFeed } from '../testing/feed-fixture.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { nodeId, scriptNode, scriptNodeKeys } from '../testing/view-script.ts';
import { backlogLimit } from './subscriptions.ts';

useFeed();

const encrypted = { put: 'network', network: 7, as: { driver: 'encrypted-overlay' } } as const;
const on = (node: number, network = 7, endpoint = 10 * network + node) =>
  ({ put: 'endpoint', endpoint, network, node }) as const;
const [h1, h2, h3] = [nodeId(1), nodeId(2), nodeId(3)];

/** The agent of a host, after its Welcome and its tables. */
async function agentOf(n: number): Promise<MemoryAgent> {
  const agent = await connect(new MemoryAgent(scriptNode(n)));
  agent.take();
  return agent;
}

async function publish(agent: MemoryAgent, n: number, version: number): Promise<void> {
  agent.say({ oneofKind: 'keys', keys: { ...nodeKeysToMessage(scriptNodeKeys(n, version)), nodeId: '' } });
  await settle();
}

async function ask(agent: MemoryAgent): Promise<void> {
  agent.say({ oneofKind: 'keys', keys: NodeKeys.create({}) });
  await settle();
}

async function receipt(agent: MemoryAgent, to: string, version: number): Promise<void> {
  const sent = KeyReceipt.create({ nodeId: to, version: BigInt(version), receives: [{ sender: 1n, receiver: 1n }] });
  agent.say({ oneofKind: 'receipts', receipts: { receipts: [sent] } });
  await settle();
}

/** What concerns keys, of what the agent got since the last call. */
const heard = (agent: MemoryAgent): string[] => agent.take().filter((line) => /keys|receipt/.test(line));

beforeEach(() => {
  script.commit(encrypted, { put: 'node', node: 3 });
});

describe('the keys of hosts', () => {
  test('an agent gets its index, and all keys of hosts that share an encrypted network with its host', async () => {
    script.commit(on(1), on(2), { put: 'nodeKeys', node: 2, version: 4 }, { put: 'nodeKeys', node: 3, version: 1 });
    const one = await agentOf(1);
    expect(heard(one)).toEqual([]);
    await ask(one);
    expect(heard(one)).toEqual(['own keys index=257 version=0 newest=0', `all peer keys +${h2}@192.0.2.2 v4`]);
    await ask(one);
    expect(heard(one)).toEqual(['own keys index=257 version=0 newest=0']);
  });

  test('are passed on when they are published, under the name of the host whose agent has sent them', async () => {
    script.commit(on(1), on(2));
    const [one, two] = [await agentOf(1), await agentOf(2)];
    await ask(one);
    expect(heard(one)).toEqual(['own keys index=257 version=0 newest=0', 'all peer keys']);
    await publish(two, 2, 1);
    expect(heard(two)).toEqual(['own keys index=258 version=1 newest=1', 'all peer keys']);
    expect(heard(one)).toEqual([`some peer keys +${h2}@192.0.2.2 v1`]);
    await publish(two, 2, 2);
    expect(heard(one)).toEqual([`some peer keys +${h2}@192.0.2.2 v2`]);
  });

  test('come and go with the endpoints of their hosts', async () => {
    script.commit(on(1), { put: 'nodeKeys', node: 2, version: 1 }, { put: 'nodeKeys', node: 3, version: 1 });
    const one = await agentOf(1);
    await ask(one);
    heard(one);
    script.commit(on(2));
    script.commit(on(3));
    expect(heard(one)).toEqual([`some peer keys +${h2}@192.0.2.2 v1`, `some peer keys +${h3}@192.0.2.3 v1`]);
    script.commit({ delete: 'endpoint', endpoint: 72, network: 7 });
    expect(heard(one)).toEqual([`some peer keys -${h2}`]);
    script.commit({ delete: 'endpoint', endpoint: 71, network: 7 });
    expect(heard(one)).toEqual([`some peer keys -${h3}`]);
  });

  test('come again when the host moves', async () => {
    script.commit(on(1), on(2), { put: 'nodeKeys', node: 2, version: 1 });
    const one = await agentOf(1);
    await ask(one);
    heard(one);
    script.commit({ put: 'node', node: 2, vtep: '192.0.2.99' });
    expect(heard(one)).toEqual([`some peer keys +${h2}@192.0.2.99 v1`]);
    script.commit({ put: 'node', node: 2, vtep: '192.0.2.99', underlayMtu: 1400 });
    expect(heard(one)).toEqual([]);
  });

  test('stay when the hosts share another encrypted network', async () => {
    script.commit({ ...encrypted, network: 8 }, on(1), on(2), on(1, 8), on(2, 8), {
      put: 'nodeKeys',
      node: 2,
      version: 1,
    });
    const one = await agentOf(1);
    await ask(one);
    heard(one);
    script.commit({ delete: 'endpoint', endpoint: 72, network: 7 });
    expect(heard(one)).toEqual([]);
    script.commit({ delete: 'endpoint', endpoint: 82, network: 8 });
    expect(heard(one)).toEqual([`some peer keys -${h2}`]);
  });

  test('are not sent to hosts of networks that are not encrypted, nor to an agent that has not asked', async () => {
    script.commit({ put: 'network', network: 9 }, on(1, 9), on(2, 9), on(3), { put: 'nodeKeys', node: 2, version: 1 });
    const [one, three] = [await agentOf(1), await agentOf(3)];
    await ask(one);
    expect(heard(one)).toEqual(['own keys index=257 version=0 newest=0', 'all peer keys']);
    script.commit(on(2));
    expect([heard(one), heard(three)]).toEqual([[], []]);
  });

  test('that cannot be stored are not answered, and the session goes on', async () => {
    const one = await agentOf(1);
    one.say({ oneofKind: 'keys', keys: NodeKeys.create({ version: 1n }) });
    await settle();
    expect(heard(one)).toEqual([]);
    expect(one.closed).toBeUndefined();
    expect(log.lines.map(({ event }) => event)).toContain('keys.not-stored');
  });
});

test('keys that an agent publishes one after the other are stored ten times, and then twice a second', async () => {
  script.commit(on(1), on(2));
  const two = await agentOf(2);
  for (let version = 1; version <= 100; version++) await publish(two, 2, version);
  const stored = (): number | undefined => script.view.records('nodeKeys').get({ id: h2 })?.value.version;
  expect([stored(), two.closed]).toEqual([10, undefined]);
  await clock.advance(seconds(1));
  for (let version = 101; version <= 200; version++) await publish(two, 2, version);
  expect(stored()).toBe(102);
});

describe('receipts', () => {
  beforeEach(() => {
    script.commit(on(1), on(2), { put: 'nodeKeys', node: 1, version: 1 }, { put: 'nodeKeys', node: 2, version: 1 });
  });

  test('are passed on under the name of their sender', async () => {
    const [one, two] = [await agentOf(1), await agentOf(2)];
    await ask(one);
    heard(one);
    await receipt(two, h1, 1);
    expect(heard(one)).toEqual([`receipt of ${h2} for version 1`]);
  });

  test('wait for an agent that begins its session later: the last of each sender', async () => {
    const two = await agentOf(2);
    await receipt(two, h1, 1);
    await receipt(two, h1, 2);
    const one = await agentOf(1);
    await ask(one);
    expect(heard(one).slice(-2)).toEqual([`all peer keys +${h2}@192.0.2.2 v1`, `receipt of ${h2} for version 2`]);
  });

  test('come after the keys of their sender, when the sender shares a network', async () => {
    script.commit({ put: 'nodeKeys', node: 3, version: 1 });
    const [one, three] = [await agentOf(1), await agentOf(3)];
    await ask(one);
    heard(one);
    await receipt(three, h1, 1);
    expect(heard(one)).toEqual([]);
    script.commit(on(3));
    expect(heard(one)).toEqual([`some peer keys +${h3}@192.0.2.3 v1`, `receipt of ${h3} for version 1`]);
  });

  test('of an earlier term, and of a host that was removed, are forgotten', async () => {
    const two = await agentOf(2);
    await receipt(two, h1, 1);
    term.abort();
    lead(feed, script.lead('m1'));
    const one = await agentOf(1);
    await ask(one);
    expect(heard(one).at(-1)).toBe(`all peer keys +${h2}@192.0.2.2 v1`);
    const again = await agentOf(2);
    await receipt(again, h1, 3);
    expect(heard(one)).toEqual([`receipt of ${h2} for version 3`]);
    script.commit({ delete: 'node', node: 2 });
    expect(heard(one)).toEqual([`some peer keys -${h2}`]);
    script.commit({ put: 'node', node: 2 });
    expect(heard(one)).toEqual([`some peer keys +${h2}@192.0.2.2 v1`]);
  });

  test('of many hosts that come together go as one message, and of one host only the last', async () => {
    script.commit(on(3), { put: 'nodeKeys', node: 3, version: 1 });
    const [one, two, three] = [await agentOf(1), await agentOf(2), await agentOf(3)];
    await ask(one);
    heard(one);
    for (let version = 1; version <= 100; version++) await receipt(two, h1, version);
    await receipt(three, h1, 7);
    expect(heard(one)).toEqual([`receipt of ${h2} for version 1`]);
    const messages = one.bytes.length;
    await clock.advance(milliseconds(20));
    expect(heard(one)).toEqual([`receipt of ${h2} for version 100`, `receipt of ${h3} for version 7`]);
    expect(one.bytes.length).toBe(messages + 1);
  });

  test('and keys wait for room in the connection; then the last of each goes, keys first', async () => {
    const [one, two] = [await agentOf(1), await agentOf(2)];
    await ask(one);
    heard(one);
    one.backlog = backlogLimit;
    await receipt(two, h1, 2);
    await publish(two, 2, 2);
    await receipt(two, h1, 3);
    await publish(two, 2, 3);
    await clock.advance(seconds(1));
    expect(heard(one)).toEqual([]);
    one.backlog = 0;
    await clock.advance(milliseconds(20));
    expect(heard(one)).toEqual([`some peer keys +${h2}@192.0.2.2 v3`, `receipt of ${h2} for version 3`]);
  });

  test('that wait are dropped when their sender is no peer any more', async () => {
    const [one, two] = [await agentOf(1), await agentOf(2)];
    await ask(one);
    heard(one);
    await receipt(two, h1, 1);
    await receipt(two, h1, 2);
    heard(one);
    script.commit({ delete: 'endpoint', endpoint: 72, network: 7 });
    await clock.advance(seconds(1));
    expect(heard(one)).toEqual([`some peer keys -${h2}`]);
  });

  test('for a host that is not known are dropped; more than a host can have end the session', async () => {
    const two = await agentOf(2);
    await receipt(two, nodeId(77), 1);
    expect(two.closed).toBeUndefined();
    const receipts = Array.from({ length: 1_025 }, () => KeyReceipt.create({ nodeId: h1 }));
    two.say({ oneofKind: 'receipts', receipts: { receipts } });
    await settle();
    expect(two.closed?.error?.code).toBe('invalid-argument');
    const again = await agentOf(2);
    const receives = Array.from({ length: 10 }, () => ({ sender: 1n, receiver: 1n }));
    again.say({ oneofKind: 'receipts', receipts: { receipts: [KeyReceipt.create({ nodeId: h1, receives })] } });
    await settle();
    expect(again.closed?.error?.code).toBe('invalid-argument');
  });
});
