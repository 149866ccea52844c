import { HostReport } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { milliseconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import {
  clock,
  connect,
  emitted,
  eventKinds,
  feed,
  registered,
  script,
  settle,
  useFeed,
} from '../testing/feed-fixture.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { endpointId, networkId, nodeId, scriptNode } from '../testing/view-script.ts';

useFeed();

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
    report: {
      ...{ repairs: 3n, drift: 1, repaired, underlayMtu: 1400, recovered: true, keptIds: [] },
      networkDrift: { [networkId(7)]: 1, [networkId(8)]: 2 },
    },
  });
  await settle();
  expect(feed.factsOf(nodeId(1))).toMatchObject({ repairs: 3n, drift: 1, recovered: true });
  expect(feed.factsOf(nodeId(1)).networkDrift, 'of networks that exist').toEqual({ [networkId(7)]: 1 });
  expect(eventKinds()).toEqual(['node.ready h1', 'drift.repaired h1']);
  expect(registered.at(-1)).toEqual({ ...scriptNode(1), underlayMtu: 1400 });
});

describe('the underlay MTU that a host reports', () => {
  const reports = async (underlayMtu: number): Promise<number> => {
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    const before = registered.length;
    agent.say({ oneofKind: 'report', report: HostReport.create({ underlayMtu }) });
    await settle();
    return registered.length - before;
  };

  test.each([
    ['is written when it has changed', 1400, 1],
    ['is not written when it is as before', 1500, 0],
    ['is not written when the agent does not know it', 0, 0],
  ])('%s', async (_, underlayMtu, writes) => expect(await reports(underlayMtu)).toBe(writes));

  test('is not written for a host whose record was removed', async () => {
    const agent = await connect(new MemoryAgent(scriptNode(1)));
    script.commit({ delete: 'node', node: 1 });
    agent.say({ oneofKind: 'report', report: HostReport.create({ underlayMtu: 1400 }) });
    await settle();
    expect(registered).toHaveLength(1);
  });
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
