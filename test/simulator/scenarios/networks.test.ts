import { overlayNetns } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import {
  CreateNetworkRequest,
  DeleteNetworkRequest,
  UpdateNetworkRequest,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { randomUuid, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import { inexact } from '../src/exact.ts';
import type { SimHost } from '../src/host.ts';

/** Three hosts, each with a container on network "blue", 10.66.0.0/29. */
async function living(over: Partial<CreateNetworkRequest> = {}): Promise<{ cluster: SimCluster; blue: NetworkId }> {
  const cluster = new SimCluster({ hosts: 3 });
  await cluster.start();
  const request = CreateNetworkRequest.create({
    requestId: randomUuid(cluster.random),
    name: 'blue',
    subnets: [Subnet.create({ prefix: '10.66.0.0/29' })],
    ...over,
  });
  const { network } = await cluster.ask((api, call) => api.network.createNetwork(request, call));
  for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
  await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
  return { cluster, blue: (network?.id ?? '') as NetworkId };
}

async function update(cluster: SimCluster, change: Partial<UpdateNetworkRequest>): Promise<void> {
  const request = UpdateNetworkRequest.create({ requestId: randomUuid(cluster.random), network: 'blue', ...change });
  await cluster.ask((api, call) => api.network.updateNetwork(request, call));
}

/** MTUs of every link of a network on a host, the container's included. */
async function mtus(host: SimHost, network: NetworkId): Promise<Set<number>> {
  const container = `/run/netns/on-${host.name}` as ReturnType<typeof overlayNetns>;
  const namespaces = [
    await host.kernel.read(overlayNetns(network), { sysctls: [] }),
    await host.kernel.read(container, { sysctls: [] }),
  ];
  return new Set(
    namespaces
      .flatMap((namespace) => [...(namespace?.links.values() ?? [])])
      .flatMap((link) => ('mtu' in link && link.name !== 'lo' ? [link.mtu] : [])),
  );
}

async function gateways(host: SimHost, network: NetworkId): Promise<string[]> {
  const namespace = await host.kernel.read(overlayNetns(network), { sysctls: [] });
  return [...(namespace?.addresses.get('br0') ?? [])].sort();
}

describe('a network in use', () => {
  it('given one more subnet has its gateway on every host, and containers of both subnets talk', async () => {
    const { cluster, blue } = await living();
    await update(cluster, { addSubnets: [Subnet.create({ prefix: '10.67.0.0/24' })] });
    await cluster.run(cluster.host('h1').attach('blue', 'new', '10.67.0.9'));
    await cluster.until('every host has both gateways', async () => {
      const all = await Promise.all(cluster.hosts.map((host) => gateways(host, blue)));
      return all.every((found) => found.join() === '10.66.0.1/29,10.67.0.1/24');
    });
    await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
    expect(cluster.host('h3').pings('on-h3', '10.67.0.9', cluster.hosts)).toBe(true);
    expect(cluster.host('h1').pings('new', '10.66.0.4', cluster.hosts)).toBe(true);
  });

  it.each([1400, 1280])(
    'given an MTU of %i has it on every link of every host, and its containers talk',
    async (mtu) => {
      const { cluster, blue } = await living();
      await update(cluster, { mtu });
      await cluster.until('every link has it', async () => {
        const all = await Promise.all(cluster.hosts.map((host) => mtus(host, blue)));
        return all.every((found) => found.size === 1 && found.has(mtu));
      });
      expect(cluster.host('h1').pings('on-h1', '10.66.0.3', cluster.hosts)).toBe(true);
    },
  );

  it('renamed keeps everything where it is, and is reached by its new name', async () => {
    const { cluster } = await living();
    const before = cluster.hosts.map(({ kernel }) => kernel.writes);
    await update(cluster, { name: 'green', setLabels: { team: 'core' } });
    await cluster.advance(seconds(1));
    expect(cluster.hosts.map(({ kernel }) => kernel.writes)).toEqual(before);
    await cluster.run(cluster.host('h1').detach('green/on-h1'));
    await expect(cluster.run(cluster.host('h1').attach('blue', 'again'))).rejects.toMatchObject({
      code: 'network-unknown',
    });
  });

  it('deleted by force is gone from every kernel, sandboxes included; without force it stays', async () => {
    const { cluster, blue } = await living();
    const request = (force: boolean) =>
      DeleteNetworkRequest.create({ requestId: randomUuid(cluster.random), network: 'blue', force });
    await expect(cluster.ask((api, call) => api.network.deleteNetwork(request(false), call))).rejects.toMatchObject({
      code: 'network-in-use',
      message: expect.stringContaining('on-h1 on h1; on-h2 on h2; on-h3 on h3'),
    });
    await cluster.ask((api, call) => api.network.deleteNetwork(request(true), call));
    await cluster.until('no kernel has anything of it', async () =>
      cluster.hosts.every(({ kernel }) => !kernel.namespaces.has(overlayNetns(blue))),
    );
    for (const host of cluster.hosts) {
      const container = await host.kernel.read(`/run/netns/on-${host.name}` as never, { sysctls: [] });
      expect(container?.links.has('eth0')).toBe(false);
    }
  });

  it('without subnets has one of each family, off the routes of its hosts', async () => {
    const cluster = new SimCluster({ hosts: 2 });
    await cluster.start();
    const request = CreateNetworkRequest.create({ requestId: randomUuid(cluster.random), name: 'apps' });
    const { network } = await cluster.ask((api, call) => api.network.createNetwork(request, call));
    expect(network?.subnets.map(({ prefix }) => prefix)).toEqual([
      '10.0.0.0/20',
      expect.stringMatching(/^fd.*::\/64$/),
    ]);
    const { nodes } = await cluster.ask((api, call) => api.node.listNodes(ListNodesRequest.create(), call));
    expect(nodes.map(({ hostRoutes }) => hostRoutes)).toEqual([['10.90.0.0/24'], ['10.90.0.0/24']]);
    for (const host of cluster.hosts) await cluster.run(host.attach('apps', `on-${host.name}`));
    await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
    expect(cluster.host('h1').pings('on-h1', '10.0.0.3', cluster.hosts)).toBe(true);
  });

  it('internal has no gateway on any host, and nothing but its own subnet is reached', async () => {
    const { cluster, blue } = await living({ internal: true });
    for (const host of cluster.hosts) {
      expect(await gateways(host, blue)).toEqual([]);
      const container = await host.kernel.read(`/run/netns/on-${host.name}` as never, { sysctls: [] });
      expect(container?.routes.size).toBe(0);
    }
    expect(cluster.host('h1').pings('on-h1', '10.66.0.2', cluster.hosts)).toBe(true);
    expect(cluster.host('h1').pings('on-h1', '8.8.8.8', cluster.hosts)).toBe(false);
  });
});
