import type { NetnsPath } from '@causeway/datapath';
import type { NodeId } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { minutes, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import { inexact } from '../src/exact.ts';

const nodeGoneAfter = minutes(10);

/** Network "blue", 10.66.0.0/29, with a container on each host. */
async function living(settings: { readonly managers?: number } = {}): Promise<SimCluster> {
  const cluster = new SimCluster({ hosts: 3, nodeGoneAfter, ...settings });
  await cluster.start();
  await cluster.createNetwork('blue', '10.66.0.0/29');
  for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
  await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
  return cluster;
}

async function endpoints(cluster: SimCluster): Promise<string[]> {
  const request = ListEndpointsRequest.create();
  const answer = await cluster.ask((api, call) => api.endpoint.listEndpoints(request, call));
  return answer.endpoints.map(({ name }) => name).sort();
}

/** The events of this kind in the store. */
async function eventsOf(cluster: SimCluster, kind: string): Promise<unknown[]> {
  const { kvs } = await cluster.run(
    cluster.store('m1').page({ from: '/causeway/v1-events/', before: '/causeway/v1-events0' }, { limit: 10_000 }),
  );
  const records = kvs.map(({ value }) => JSON.parse(new TextDecoder().decode(value)) as { events: { kind: string }[] });
  return records
    .flatMap(({ events, ...origin }) => events.map((event) => ({ ...origin, ...event })))
    .filter((event) => event.kind === kind);
}

async function hasInterface(cluster: SimCluster, host: string, container: string): Promise<boolean> {
  const netns = `/run/netns/${container}` as NetnsPath;
  const namespace = await cluster.host(host).kernel.read(netns, { sysctls: [] });
  return namespace?.links.has('eth0') ?? false;
}

describe('the endpoints of a host that is gone', () => {
  it('are released when the host was silent for so long, their addresses cool, and an event says why', async () => {
    const cluster = await living();
    cluster.connections.cut('h3');
    await cluster.advance(minutes(9.8));
    expect(await endpoints(cluster)).toEqual(['on-h1', 'on-h2', 'on-h3']);
    await cluster.advance(minutes(0.5));
    expect(await endpoints(cluster)).toEqual(['on-h1', 'on-h2']);
    expect(await eventsOf(cluster, 'endpoint.orphaned')).toMatchObject([
      {
        network: 'blue',
        endpoint: 'on-h3',
        host: 'h3',
        cause: 'node-gone',
        message: expect.stringContaining('h3 has been gone for 10m'),
      },
    ]);
    const { subnets } = await cluster.ask((api, call) => api.ipam.showSubnets({ network: 'blue', atLeast: 0n }, call));
    expect(subnets[0]).toMatchObject({ used: '2', cooling: '1' });
    await cluster.advance(minutes(2));
    expect((await cluster.run(cluster.host('h1').attach('blue', 'four'))).addresses).toEqual(['10.66.0.5/29']);
    expect((await cluster.run(cluster.host('h1').attach('blue', 'five'))).addresses).toEqual(['10.66.0.6/29']);
    expect((await cluster.run(cluster.host('h1').attach('blue', 'six'))).addresses).toEqual(['10.66.0.4/29']);
  });

  it('leave its containers when it comes back, before it gets the new owners of their addresses', async () => {
    const cluster = await living();
    cluster.connections.cut('h3');
    await cluster.advance(minutes(12));
    await cluster.run(cluster.host('h1').attach('blue', 'again', '10.66.0.4'));
    cluster.connections.heal('h3');
    await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
    await cluster.until(
      'its container has lost its interface',
      async () => !(await hasInterface(cluster, 'h3', 'on-h3')),
    );
    expect(cluster.host('h2').pings('on-h2', '10.66.0.4', cluster.hosts)).toBe(true);
    expect(await cluster.run(cluster.host('h3').agent.api.listSandboxes())).toMatchObject({ sandboxes: [] });
    expect(cluster.log.lines.map(({ event }) => event)).toContain('endpoint.released-elsewhere');
  });

  it('stay when it was back in between', async () => {
    const cluster = await living();
    for (let round = 0; round < 4; round++) {
      cluster.connections.cut('h3');
      await cluster.advance(minutes(6));
      cluster.connections.heal('h3');
      await cluster.until('it is back', async () => (await cluster.readyHosts()) === 3);
    }
    expect(await endpoints(cluster)).toEqual(['on-h1', 'on-h2', 'on-h3']);
  });

  it('are released after about the same time, whichever managers lead', async () => {
    const cluster = await living({ managers: 3 });
    cluster.connections.cut('h3');
    for (let round = 0; round < 3; round++) {
      await cluster.advance(minutes(3));
      const [leader] = cluster.leaders;
      if (leader === undefined) continue;
      cluster.killManager(leader);
      await cluster.advance(seconds(10));
      await cluster.startManager(leader);
    }
    expect(await endpoints(cluster)).toEqual(['on-h1', 'on-h2', 'on-h3']);
    await cluster.advance(minutes(4));
    expect(await endpoints(cluster)).toEqual(['on-h1', 'on-h2']);
  });

  it('stay through a time without managers, and the host has what was left', async () => {
    const cluster = await living();
    cluster.connections.cut('h3');
    await cluster.advance(minutes(6));
    cluster.killManager('m1');
    await cluster.advance(minutes(20));
    await cluster.startManager('m1');
    await cluster.advance(minutes(3));
    expect(await endpoints(cluster)).toEqual(['on-h1', 'on-h2', 'on-h3']);
    await cluster.advance(minutes(2));
    expect(await endpoints(cluster)).toEqual(['on-h1', 'on-h2']);
  });
});

describe('an endpoint that its agent does not know any more', () => {
  const orphaned = async (cluster: SimCluster): Promise<void> => {
    await cluster.until('it is released', async () => (await endpoints(cluster)).length === 2);
  };

  it('is released when its container is gone', async () => {
    const cluster = await living();
    cluster.host('h3').kernel.foreign({ op: 'netns.delete', netns: '/run/netns/on-h3' as NetnsPath });
    await orphaned(cluster);
    expect(await eventsOf(cluster, 'endpoint.orphaned')).toMatchObject([
      { endpoint: 'on-h3', actor: 'agent/h3', message: expect.stringContaining('namespace of its container is gone') },
    ]);
  });

  const loseRecords = (cluster: SimCluster): void => {
    const h3 = cluster.host('h3');
    h3.kill();
    for (const file of h3.files.contents.keys()) if (file.startsWith('sandboxes')) h3.files.contents.delete(file);
  };

  it('is released when the agent has lost its record of the container, and the container is gone', async () => {
    const cluster = await living();
    const h3 = cluster.host('h3');
    loseRecords(cluster);
    h3.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/on-h3' as NetnsPath });
    await cluster.run(h3.start());
    await orphaned(cluster);
    expect(await eventsOf(cluster, 'endpoint.orphaned')).toMatchObject([
      { endpoint: 'on-h3', actor: 'agent/h3', message: expect.stringContaining('knows of no container') },
    ]);
    await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
  });

  it('is kept when the agent has lost its record of the container, and the container is there', async () => {
    const cluster = await living();
    loseRecords(cluster);
    await cluster.run(cluster.host('h3').start());
    await cluster.advance(minutes(2));
    expect(await endpoints(cluster)).toEqual(['on-h1', 'on-h2', 'on-h3']);
    expect(await hasInterface(cluster, 'h3', 'on-h3')).toBe(true);
  });

  it('is released when the host has lost all its data and has joined again as another host', async () => {
    const cluster = await living();
    const h3 = cluster.host('h3');
    h3.kill();
    h3.replace('b3b3b3b3b3b3b3b3' as NodeId);
    await cluster.run(h3.start());
    await cluster.advance(minutes(11));
    await orphaned(cluster);
    expect(await eventsOf(cluster, 'endpoint.orphaned')).toMatchObject([{ endpoint: 'on-h3', cause: 'node-gone' }]);
  });
});
