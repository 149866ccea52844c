import { join } from 'node:path';
import { TestCluster } from '@causeway/identity/io/testing';
import { CausewayError, type ClusterId } from '@causeway/model';
import {
  agentServiceDefinition,
  type IAgentService,
} from '@causeway/proto/gen/causeway/v1/agent_service.grpc-server.js';
import { clusterServiceDefinition } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-server.js';
import { GetStatusResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { networkServiceDefinition } from '@causeway/proto/gen/causeway/v1/network_service.grpc-server.js';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { remarkKey, serveUnary } from '@causeway/proto/io';
import { milliseconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { Metadata } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import {
  afterTest,
  anyPort,
  client,
  cluster,
  credentials,
  everything,
  folder,
  networks,
  noDefect,
  sequences,
  serve,
} from '../testing/grpc-fixture.ts';
import { blue, lone } from '../testing/samples.ts';
import { grpcConnect } from './grpc-clients.ts';

describe('managers', () => {
  test('no manager is set', () => {
    expect(() => client([]).managers).toThrow('no manager address is set');
  });

  test('each manager that answers says how it sees the cluster, and a manager that is away is left out', async () => {
    const at = (epoch: bigint) => {
      const getStatus = serveUnary(async () => GetStatusResponse.create({ epoch }), noDefect);
      return serve(anyPort, [[clusterServiceDefinition, { getStatus }] as [never, never]]);
    };
    const managers = [await at(1n), '127.0.0.1:1', await at(2n)];
    const statuses = await client(managers).managers.getStatuses();
    expect(statuses.map(({ epoch }) => epoch)).toEqual([1n, 2n]);
  });

  test('a standby names the leader, which is then asked', async () => {
    const leader = await serve(anyPort, [
      networks(async () => ({ networks: [blue], revision: 7n, nextPageToken: '' })),
    ]);
    const standby = await serve(anyPort, [
      networks(() => Promise.reject(new CausewayError('not-leader', 'standing by', { leader }))),
    ]);
    expect(await client([standby]).managers.listNetworks(everything)).toEqual({
      networks: [blue],
      revision: 7n,
      nextPageToken: '',
    });
  });

  test('a manager that is gone is passed over', async () => {
    const alive = await serve(anyPort, [networks(async () => ({ networks: [blue], revision: 7n, nextPageToken: '' }))]);
    expect((await client(['127.0.0.1:1', alive]).managers.listNetworks(everything)).revision).toBe(7n);
  });

  test('no manager is there', async () => {
    const call = client(['127.0.0.1:1'], { timeout: 1_000 }).managers.listNetworks(everything);
    await expect(call).rejects.toMatchObject({
      code: 'manager-unavailable',
      message: 'no manager answers (127.0.0.1:1): connect ECONNREFUSED 127.0.0.1:1',
    });
  });

  test('the only manager does not answer', async () => {
    const silent = await serve(anyPort, [networks(() => new Promise(() => undefined))]);
    const call = client([silent], { timeout: 50 }).managers.listNetworks(everything);
    await expect(call).rejects.toMatchObject({
      code: 'timed-out',
      message: `no answer from the manager (${silent}) within 50ms`,
    });
  });

  test('a standby that named the leader does not explain a leader that does not answer', async () => {
    const leader = await serve(anyPort, [networks(() => new Promise(() => undefined))]);
    const standby = await serve(anyPort, [
      networks(() => Promise.reject(new CausewayError('not-leader', 'standing by', { leader }))),
    ]);
    const call = client([standby], { timeout: 1_000 }).managers.listNetworks(everything);
    await expect(call).rejects.toMatchObject({ code: 'timed-out' });
  });

  const answering = async () => ({ networks: [blue], revision: 7n, nextPageToken: '' });

  test('a manager that takes calls and does not answer costs a read a moment, and the next read nothing', async () => {
    let asked = 0;
    const hanging = networks(() => {
      asked++;
      return new Promise(() => undefined);
    });
    const { managers } = client([await serve(anyPort, [hanging]), await serve(anyPort, [networks(answering)])]);
    expect((await managers.listNetworks(everything)).revision).toBe(7n);
    expect((await managers.listNetworks(everything)).revision).toBe(7n);
    expect(asked).toBe(1);
  });

  test('when all managers refuse connections, the command ends soon, whatever its timeout', async () => {
    const began = systemClock.now();
    await expect(
      client(['127.0.0.1:1', '127.0.0.1:2'], { timeout: 60_000 }).managers.listNetworks(everything),
    ).rejects.toMatchObject({ code: 'manager-unavailable' });
    await expect(
      sequences(client(['127.0.0.1:1'], { timeout: 60_000 }), true),
      'a stream that never began',
    ).rejects.toMatchObject({ code: 'manager-unavailable' });
    // With their timeouts, the two calls could take two minutes.
    expect(systemClock.now() - began).toBeLessThan(30_000);
  });

  test('the remark beside an answer is passed on once', async () => {
    const remarks: string[] = [];
    const remarking = networks(answering);
    const { listNetworks } = remarking[1] as unknown as { listNetworks: (...call: unknown[]) => void };
    const handler = (call: { sendMetadata(metadata: Metadata): void }, done: unknown): void => {
      const metadata = new Metadata();
      metadata.set(remarkKey, 'from m2, which follows');
      call.sendMetadata(metadata);
      listNetworks(call, done);
    };
    const address = await serve(anyPort, [[networkServiceDefinition, { listNetworks: handler }] as [never, never]]);
    const onRemark = (remark: string): void => void remarks.push(remark);
    const settings = { managers: [address], socket: '', timeout: milliseconds(5_000) };
    const world = { credentials, clock: systemClock, actor: '', onRemark };
    const clients = grpcConnect(world)(settings, new AbortController().signal);
    afterTest.push(() => clients.close());
    await clients.managers.listNetworks(everything);
    await clients.managers.listNetworks(everything);
    expect(remarks).toEqual(['from m2, which follows']);
  });

  const managerAt = (revision: bigint) => networks(async () => ({ networks: [blue], revision, nextPageToken: '' }));
  const strange = new TestCluster({ id: 'fedcba9876543210' as ClusterId, seed: 2 });

  test('a manager of another cluster is not trusted, and the next is asked', async () => {
    const [theirs, ours] = [await serve(anyPort, [managerAt(1n)], strange), await serve(anyPort, [managerAt(7n)])];
    expect((await client([theirs, ours]).managers.listNetworks(everything)).revision).toBe(7n);
  });

  test('when there are only such managers, the error says of which cluster they are, and nothing was asked', async () => {
    let asked = 0;
    const theirs = await serve(anyPort, [networks(async () => Promise.reject(new Error(String(++asked))))], strange);
    const { managers } = client([theirs], { timeout: 60_000 });
    const refusal = {
      code: 'cluster-mismatch',
      message: `the manager is not trusted (${theirs}): manager/m1 belongs to the cluster ${strange.id}; this is the cluster ${cluster.id}`,
    };
    await expect(managers.listNetworks(everything)).rejects.toMatchObject(refusal);
    await expect(managers.createNetwork(CreateNetworkRequest.create({ name: 'blue' }))).rejects.toMatchObject(refusal);
    await expect(sequences(client([theirs], { timeout: 60_000 }), true)).rejects.toMatchObject(refusal);
    expect(asked).toBe(0);
  });

  test('a refusal is not asked again', async () => {
    let asked = 0;
    const refusing = await serve(anyPort, [
      networks(() => {
        asked++;
        return Promise.reject(new CausewayError('permission-denied', 'not you', { role: 'none' }));
      }),
    ]);
    await expect(client([refusing, refusing]).managers.listNetworks(everything)).rejects.toMatchObject({
      code: 'permission-denied',
      message: 'not you',
      data: { role: 'none' },
    });
    expect(asked).toBe(1);
  });
});

describe('the agent', () => {
  const attach = {
    requestId: 'r',
    network: 'blue',
    name: 'web',
    netns: '/run/netns/web',
    ifname: 'eth0',
    addresses: [],
    labels: {},
    gatewayPriority: 0,
  };

  test('no socket', async () => {
    await expect(client([]).agent.attach(attach)).rejects.toMatchObject({
      code: 'agent-unavailable',
      message: `no agent on this host: there is no socket ${join(folder, 'none.sock')}`,
    });
  });

  test('answers on its socket, also when it has just come back', async () => {
    const socket = join(folder, 'agent.sock');
    let tries = 0;
    const handlers: Partial<IAgentService> = {
      attach: serveUnary(() => {
        tries++;
        if (tries === 1) return Promise.reject(new CausewayError('shutting-down', 'restarting'));
        return Promise.resolve({ endpoint: lone, alreadyAttached: true });
      }, noDefect),
    };
    await serve(`unix:${socket}`, [[agentServiceDefinition as never, handlers as never]]);
    expect(await client([], { socket }).agent.attach(attach)).toEqual({ endpoint: lone, alreadyAttached: true });
    expect(tries).toBe(2);
  });
});
