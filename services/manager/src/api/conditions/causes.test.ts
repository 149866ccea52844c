import { ListNetworksRequest, UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { claim, cluster, connect, createNetwork, manager, uuid } from '../../testing/manager-fixture.ts';

describe('one manager', () => {
  test('conditions follow from claims, from sessions, and from what hosts report', async () => {
    const { network: networks, endpoint: endpoints, node: nodes } = manager.api;
    const conditionTexts = async (): Promise<string[]> => {
      const all = [
        (await networks.getNetwork({ network: 'blue', atLeast: 0n }, cluster.call())).network,
        (await endpoints.getEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call())).endpoint,
        (await nodes.getNode({ node: 'h1' }, cluster.call())).node,
      ];
      return all.flatMap((object) => object?.conditions ?? []).map((one) => `${one.type} ${one.status} ${one.reason}`);
    };
    const networkDrift = { [(await createNetwork()).id]: 2 };
    const agent = await connect(1);
    agent.appliesAtOnce = false;
    await claim('web', 1);
    await cluster.settle();
    expect(await conditionTexts()).toEqual([
      'Allocated true Claimed',
      'Programmed false Waiting',
      'Degraded false Healthy',
      'Allocated true Claimed',
      'Programmed false Waiting',
      'Degraded false Healthy',
      'Ready true Session',
      'Programmed false Waiting',
      'Degraded false Healthy',
      'Attachable true Open',
    ]);
    agent.applied();
    const report = {
      repairs: 0n,
      drift: 2,
      repaired: [],
      underlayMtu: 1500,
      networkDrift,
      recovered: true,
      keptIds: [],
    };
    agent.say({ oneofKind: 'report', report });
    await cluster.settle();
    expect((await conditionTexts()).filter((text) => !text.startsWith('Allocated'))).toEqual([
      'Programmed true AllApplied',
      'Degraded true Drift',
      'Programmed true AllApplied',
      'Degraded true Drift',
      'Ready true Session',
      'Programmed true AllApplied',
      'Degraded true Drift',
      'Attachable true Open',
    ]);
    agent.hangUp();
    await cluster.settle();
    expect((await conditionTexts()).filter((text) => !text.startsWith('Allocated'))).toEqual([
      'Programmed unknown HostsLost',
      'Degraded true HostLost',
      'Programmed unknown HostsLost',
      'Degraded true HostLost',
      'Ready false NoSession',
      'Programmed unknown NoSession',
      'Degraded unknown NoSession',
      'Attachable true Open',
    ]);
  });

  test('conditions say when their cause began, also without a change in the store', async () => {
    const { network: networks, node: nodes } = manager.api;
    const began = cluster.clock.wall();
    const agoMs = async (): Promise<Record<string, number>> => {
      const { network } = await networks.getNetwork({ network: 'blue', atLeast: 0n }, cluster.call());
      const { node } = await nodes.getNode({ node: 'h1' }, cluster.call());
      const all = [...(network?.conditions ?? []), ...(node?.conditions ?? [])];
      return Object.fromEntries(all.map(({ reason, sinceTimeMs }) => [reason, Number(sinceTimeMs) - began]));
    };
    await createNetwork();
    await cluster.clock.advance(seconds(60));
    const agent = await connect(1);
    await claim('web', 1);
    await cluster.clock.advance(seconds(1));
    const before = manager.view.revision;
    const lost = cluster.clock.wall() - began;
    agent.hangUp();
    await cluster.settle();
    const { conditions = [] } = (await nodes.getNode({ node: 'h1' }, cluster.call())).node ?? {};
    const ofSession = conditions.filter(({ type }) => type !== 'Attachable');
    expect(ofSession.map(({ sinceRevision }) => sinceRevision)).toEqual([before, before, before]);
    await cluster.clock.advance(seconds(10));
    const ages = await agoMs();
    expect(ages['Claimed']).toBeLessThan(1_000);
    expect(ages).toMatchObject({ HostsLost: lost, HostLost: lost, NoSession: lost });
  });

  test('a manager that started later knows when objects were made, and not when they changed before', async () => {
    const { createdAtMs } = await createNetwork();
    await createNetwork('changed', 67);
    const request = { requestId: uuid(), network: 'changed', setLabels: { tier: 'web' } };
    await cluster.answer(manager.api.network.updateNetwork(UpdateNetworkRequest.create(request), cluster.call()));
    await connect(1);
    await cluster.clock.advance(seconds(60));
    const { manager: later } = await cluster.startManager('m2');
    await cluster.clock.advance(seconds(60));
    await cluster.answer(manager.stop());
    const took = cluster.clock.wall();
    await cluster.clock.advance(seconds(5));
    const { networks } = await later.api.network.listNetworks(ListNetworksRequest.create(), cluster.call());
    const { node } = await later.api.node.getNode({ node: 'h1' }, cluster.call());
    const claimed = networks.map(({ name, conditions }) => [name, conditions[0]?.sinceTimeMs]);
    expect(Object.fromEntries(claimed)).toEqual({ blue: createdAtMs, changed: 0n });
    const [ready] = node?.conditions ?? [];
    expect(ready).toMatchObject({ type: 'Ready', status: 'false' });
    expect(Math.abs(Number(ready?.sinceTimeMs) - took)).toBeLessThan(1_000);
  });
});
