import { CreateNetworkRequest, DeleteNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { randomUuid, seconds } from '@causeway/runtime';
import { expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';

const vni = 77;
const cooling = { code: 'vni-taken', message: expect.stringContaining('vni 77 is cooling: network "blue" had it') };

/** Network "blue" with VNI 77, just deleted on both hosts. `silent` could not be reached when the network was deleted. */
async function deleted(settings: { readonly managers?: number; readonly silent?: string } = {}): Promise<SimCluster> {
  const cluster = new SimCluster({ hosts: 2, ...settings });
  await cluster.start();
  await create(cluster, 'blue');
  for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
  if (settings.silent !== undefined) {
    cluster.connections.cut(settings.silent);
    await cluster.until('its session is lost', async () => (await cluster.readyHosts()) === 1);
  }
  const request = DeleteNetworkRequest.create({ requestId: randomUuid(cluster.random), network: 'blue', force: true });
  await cluster.ask((api, call) => api.network.deleteNetwork(request, call));
  return cluster;
}

async function create(cluster: SimCluster, name: string): Promise<void> {
  const [requestId, subnets] = [randomUuid(cluster.random), [Subnet.create({ prefix: '10.66.0.0/24' })]];
  const request = CreateNetworkRequest.create({ requestId, name, subnets, vni });
  await cluster.ask((api, call) => api.network.createNetwork(request, call));
}

it('of a deleted network can be had again after a minute', async () => {
  const cluster = await deleted();
  await cluster.advance(seconds(55));
  await expect(create(cluster, 'green')).rejects.toMatchObject(cooling);
  await cluster.advance(seconds(6));
  await create(cluster, 'green');
});

it('cools on under another leader, for a minute of its own', async () => {
  const cluster = await deleted({ managers: 2 });
  await cluster.advance(seconds(55));
  for (const leader of cluster.leaders) cluster.killManager(leader);
  await cluster.advance(seconds(30));
  await expect(create(cluster, 'green')).rejects.toMatchObject(cooling);
  await cluster.advance(seconds(40));
  await create(cluster, 'green');
});

it('waits for a host that comes back until that has taken the network down', async () => {
  const cluster = await deleted({ silent: 'h2' });
  await cluster.advance(seconds(30));
  cluster.host('h2').kill();
  await cluster.advance(seconds(20));
  await expect(create(cluster, 'green')).rejects.toMatchObject(cooling);
  cluster.connections.heal('h2');
  await cluster.run(cluster.host('h2').start());
  await cluster.advance(seconds(15));
  await create(cluster, 'green');
  expect((await cluster.run(cluster.host('h2').attach('green', 'web'))).addresses).toEqual(['10.66.0.2/24']);
});

it('waits a minute for a host that was lost with the network, and no longer', async () => {
  const cluster = await deleted();
  cluster.connections.cut('h2');
  await cluster.advance(seconds(50));
  await expect(create(cluster, 'green')).rejects.toMatchObject(cooling);
  await cluster.advance(seconds(20));
  await create(cluster, 'green');
});
