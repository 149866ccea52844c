import type { ErrorCode } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { DeleteNetworkRequest, ListNetworksRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import type { Manager } from './manager.ts';
import { createKeys, defaultPrefix } from './store/keys.ts';
import { claim, cluster, codeOf, connect, createNetwork, manager, removal, uuid } from './testing/manager-fixture.ts';
import { MemoryAgent } from './testing/memory-agent.ts';
import { scriptNode } from './testing/view-script.ts';

describe('a manager whose store does not answer', () => {
  test.each(['leads', 'stands by'])('stops within 3 s when it %s', async (role) => {
    const other = await cluster.startManager('m2');
    const first = { manager, store: cluster.storeOf(manager) };
    const [stopping, well] = role === 'leads' ? [first, other] : [other, first];
    expect(stopping.manager.isLeader).toBe(role === 'leads');
    await createNetwork();
    let grants = 0;
    stopping.store.fault = (operation) => {
      if (operation === 'lease' && !stopping.manager.isLeader) grants++;
      return 'lost-request';
    };
    await cluster.answer(well.store.txn([], [{ kind: 'delete', key: createKeys(defaultPrefix).leader }]));
    while (grants === 0) await cluster.clock.advance(milliseconds(100)); // the manager campaigns, and this call has just begun
    const began = cluster.clock.now();
    await cluster.answer(stopping.manager.stop());
    expect(cluster.clock.now() - began).toBeLessThanOrEqual(3_000);
  });

  test('takes no part in the election when it is stopped before the store answers', async () => {
    const { manager: late, store } = cluster.addManager('m2');
    store.setReachable(false);
    const started = late.start();
    await cluster.clock.advance(seconds(5));
    await cluster.answer(late.stop());
    await cluster.answer(started);
    store.setReachable(true);
    await cluster.answer(manager.stop());
    await cluster.clock.advance(seconds(20));
    const { kv: leader } = await cluster.answer(store.get(createKeys(defaultPrefix).leader));
    expect({ leads: late.isLeader, leader }).toEqual({ leads: false, leader: undefined });
  });
});

describe('one manager', () => {
  test('a retry with the same request id gets the same answer', async () => {
    await createNetwork();
    await connect(1);
    const id = uuid();
    expect(await claim('web', 1, id)).toEqual(await claim('web', 1, id));
    expect(manager.view.endpointCount).toBe(1);
  });

  test('status is answered while the store is not', async () => {
    const unreachable = await cluster.startManager('m2');
    unreachable.store.setReachable(false);
    const status = await cluster.answer(unreachable.manager.api.cluster.getStatus({}, cluster.call()));
    expect(status).toMatchObject({ leader: { manager: 'm1' }, managers: [{ state: 'leader' }, { state: 'standby' }] });
    expect(status.store).toBeUndefined();
  });

  test.each<[string, (m: Manager) => Promise<unknown>, ErrorCode]>([
    [
      'network of a read',
      (m) => m.api.network.getNetwork({ network: 'x', atLeast: 0n }, cluster.call()),
      'network-unknown',
    ],
    [
      'host of a list',
      (m) => m.api.endpoint.listEndpoints(ListEndpointsRequest.create({ host: 'x' }), cluster.call()),
      'node-unknown',
    ],
    [
      'endpoint of a wait',
      (m) => m.api.endpoint.waitEndpoint({ endpoint: 'x', atLeast: 0n }, cluster.call()),
      'endpoint-unknown',
    ],
    [
      'address of a history',
      (m) => m.api.ipam.getAddressHistory({ address: '10.66.0.99', network: '' }, cluster.call()),
      'address-unknown',
    ],
    [
      'address of a history in a network that does not have the address',
      (m) => m.api.ipam.getAddressHistory({ address: '10.66.0.99', network: 'x' }, cluster.call()),
      'address-unknown',
    ],
    [
      'text of an address of a history',
      (m) => m.api.ipam.getAddressHistory({ address: 'x', network: '' }, cluster.call()),
      'address-invalid',
    ],
    ['host of a verify', (m) => m.api.cluster.verify({ repair: false, hosts: ['x'] }, cluster.call()), 'node-unknown'],
    [
      'request id',
      (m) => m.api.network.deleteNetwork(DeleteNetworkRequest.create({ requestId: 'x', network: 'x' }), cluster.call()),
      'invalid-argument',
    ],
    [
      'a revision that does not come',
      (m) => m.api.network.listNetworks(ListNetworksRequest.create({ atLeast: 1_000n }), cluster.call()),
      'timed-out',
    ],
  ])('unknown or wrong: %s', async (_name, call, code) => {
    expect(await codeOf(call(manager))).toBe(code);
  });
});

describe('two managers', () => {
  test('the standby names the leader and answers what it can', async () => {
    await createNetwork();
    const { manager: standby } = await cluster.startManager('m2');
    await cluster.settle();
    const { network: networks, endpoint: endpoints } = standby.api;
    const calls: readonly (() => Promise<unknown>)[] = [
      () => networks.deleteNetwork(removal(), cluster.call()),
      () => endpoints.getEndpoint({ endpoint: 'x', atLeast: 0n }, cluster.call()),
      () => networks.listNetworks(ListNetworksRequest.create(), cluster.call()),
    ];
    for (const call of calls)
      expect(await cluster.answer(call()).catch((error: unknown) => error)).toMatchObject({
        code: 'not-leader',
        data: { leader: 'm1:7443' },
      });
    expect((await standby.api.ipam.showSubnets({ network: 'blue', atLeast: 0n }, cluster.call())).subnets).toHaveLength(
      2,
    );
    expect((await connect(1, standby)).take()).toEqual(['goodbye m1:7443']);
  });

  test.each(['gone', 'silent'] as const)('status at the standby, and when the leader is %s', async (how) => {
    await connect(1);
    const { manager: standby } = await cluster.startManager('m2');
    const status = () => cluster.answer(standby.api.cluster.getStatus({}, cluster.call()));
    const [m1, m2] = [
      { name: 'm1', state: 'leader', revision: manager.view.revision },
      { name: 'm2', state: 'standby', revision: standby.view.revision },
    ];
    const leader = { manager: 'm1', address: 'm1:7443' };
    const hosts = { hostsReady: 1, hostsTotal: 1 };
    expect(await status()).toMatchObject({ leader, managers: [m1, m2], ...hosts });
    cluster.unreachable('m1', how);
    const before = cluster.clock.now();
    const managers = [{ ...m1, state: 'unreachable', revision: 0n }, m2];
    expect(await status()).toMatchObject({ leader, managers, ...hosts, hostsReady: 0 });
    // A status call waits 1 s for a manager that does not answer, not as long as the call may take.
    expect(cluster.clock.now() - before).toBe(how === 'silent' ? 1_000 : 0);
  });

  test('hand-over: sessions end with goodbye, the other leads at once and continues cursors', async () => {
    await createNetwork();
    const agent = await connect(1);
    await claim('web', 1);
    await cluster.settle();
    const { manager: next } = await cluster.startManager('m2');
    const leads: boolean[] = [];
    next.onLeadership((now) => leads.push(now));
    const before = cluster.clock.now();
    await cluster.answer(manager.stop());
    await cluster.settle();
    expect(cluster.clock.now() - before).toBeLessThan(1_000);
    expect([manager.isLeader, next.isLeader, leads]).toEqual([false, true, [true]]);
    expect(agent.take().at(-1)).toBe('goodbye ');
    const again = new MemoryAgent(scriptNode(1), agent.holds);
    again.hello({ clusterId: next.view.cluster?.id ?? '' });
    void next.accept(again);
    await cluster.settle();
    const [welcome, ...rest] = again.take();
    expect(welcome).toBe(`welcome term=${next.view.leader?.term}`);
    expect(rest.filter((line) => line.startsWith('complete'))).toEqual([]);
    expect(rest.at(-1)).toMatch(/^ready/);
  });

  test('a leader without the store steps down by its own clock, and no longer names itself as leader', async () => {
    const { manager: next } = await cluster.startManager('m2');
    const agent = await connect(1);
    cluster.cutOff(manager);
    await cluster.clock.advance(seconds(4));
    expect([manager.isLeader, next.isLeader]).toEqual([false, true]);
    expect(agent.take().at(-1)).toBe('goodbye ');
    expect(agent.closed).toEqual({ error: undefined });
  });
});
