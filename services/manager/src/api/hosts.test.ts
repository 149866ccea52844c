import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { ListNetworksRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { claim, cluster, connect, createNetwork, manager } from '../testing/manager-fixture.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { scriptNode } from '../testing/view-script.ts';

describe('one manager', () => {
  test('verify: a slow host has as long as the caller gives it, a slower host is named', async () => {
    await createNetwork();
    const [slow, slower] = [await connect(1), await connect(2)];
    const answer = manager.api.cluster.verify({ repair: false, hosts: [] }, cluster.call(seconds(60)));
    for (let waited = 0; waited < 58; waited += 2) {
      await cluster.clock.advance(seconds(2));
      for (const agent of [slow, slower]) agent.applied();
    }
    slow.say({ oneofKind: 'verifyResult', verifyResult: { call: 1n, drift: [], error: '' } });
    expect(await cluster.answer(answer)).toEqual({ drift: [], checked: ['h1'], unreachable: ['h2'] });
  });

  test('waiting for applied: returns when the last has it, says who is missing when time is over', async () => {
    await createNetwork();
    await connect(1);
    const slow = await connect(2);
    slow.appliesAtOnce = false;
    await claim('db', 2);
    await claim('web', 1);
    const wait = manager.api.endpoint.waitEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call(seconds(2)));
    const failure = await cluster.answer(wait).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'timed-out', data: { have: 1, want: 2, waiting: 'h2' } });
    const again = manager.api.endpoint.waitEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call(seconds(2)));
    slow.applied();
    expect((await cluster.answer(again)).endpoint?.applied).toMatchObject({ have: 2, want: 2 });
  });

  test('a host with a smaller underlay lowers automatic MTUs and leaves asked-for ones', async () => {
    await createNetwork();
    await createNetwork('fixed', 67, { mtu: 1440 });
    const agent = new MemoryAgent({ ...scriptNode(3), underlayMtu: 1400 });
    agent.hello();
    void manager.accept(agent);
    await cluster.settle();
    const { networks } = await manager.api.network.listNetworks(ListNetworksRequest.create(), cluster.call());
    expect(networks.map(({ name, mtu }) => `${name} ${mtu}`)).toEqual(['blue 1350', 'fixed 1440']);
  });

  test('nodes and status show which hosts are ready and what was repaired', async () => {
    await createNetwork();
    const agent = await connect(1);
    (await connect(2)).hangUp();
    await claim('web', 1);
    agent.say({
      oneofKind: 'report',
      report: {
        repairs: 4n,
        drift: 1,
        repaired: [],
        underlayMtu: 1500,
        networkDrift: {},
        recovered: true,
        keptIds: [],
      },
    });
    await cluster.settle();
    const { nodes } = await manager.api.node.listNodes(ListNodesRequest.create(), cluster.call());
    expect(nodes.map(({ name, ready, endpoints, repairs }) => ({ name, ready, endpoints, repairs }))).toEqual([
      { name: 'h1', ready: true, endpoints: 1, repairs: 4n },
      { name: 'h2', ready: false, endpoints: 0, repairs: 0n },
    ]);
    expect(await cluster.answer(manager.api.cluster.getStatus({}, cluster.call()))).toMatchObject({
      clusterId: manager.view.cluster?.id,
      leader: { manager: 'm1', address: 'm1:7443' },
      managers: [{ name: 'm1', address: 'm1:7443', leader: true }],
      hostsReady: 1,
      hostsTotal: 2,
      repairs: 4n,
      drift: 1,
      networks: 1,
      endpoints: 1,
      unreadyHosts: [{ name: 'h2', session: 'none', reason: 'its agent closed the session, or the connection broke' }],
      degradedNetworks: 0,
      degradedEndpoints: 0,
      troubledHosts: [],
    });
    const report = {
      repairs: 4n,
      drift: 1,
      repaired: [],
      underlayMtu: 1500,
      networkDrift: {},
      recovered: true,
      keptIds: [],
    };
    // Dropped announcements are no trouble: containers ask again. Nor are refused keys: a manager that lags behind sends former keys.
    const counts = { loopDelayMs: 0, eventsLost: 0n, failedOps: {}, announcementsSent: 9n, announcementsDropped: 9n };
    const fine = { ...counts, cannotEncrypt: '', refusedKeys: 9n, keysOnDisk: '' };
    const healths = [
      { ...fine, loopDelayMs: 999 },
      { ...fine, loopDelayMs: 1_000 },
      { ...fine, eventsLost: 1n },
      { ...fine, failedOps: { EBUSY: 1n } },
    ];
    const troubled: unknown[] = [];
    for (const health of healths) {
      agent.say({ oneofKind: 'report', report: { ...report, health } });
      await cluster.settle();
      troubled.push((await cluster.answer(manager.api.cluster.getStatus({}, cluster.call()))).troubledHosts);
    }
    expect(troubled).toEqual([[], ...healths.slice(1).map((health) => [{ name: 'h1', health }])]);
    agent.hangUp();
    await cluster.settle();
    expect(await cluster.answer(manager.api.cluster.getStatus({}, cluster.call()))).toMatchObject({
      unreadyHosts: [{ name: 'h1', session: 'none', reason: expect.stringContaining('closed') }, { name: 'h2' }],
      degradedEndpoints: 1,
      troubledHosts: [],
    });
    // No ready host lacks the endpoint; the host that has the endpoint may lack it.
    const { endpoints } = await manager.api.endpoint.listEndpoints(ListEndpointsRequest.create(), cluster.call());
    expect(endpoints[0]?.applied).toMatchObject({ have: 0, want: 1, unreachable: ['h1'] });
  });
});
