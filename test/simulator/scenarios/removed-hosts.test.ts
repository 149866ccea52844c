import type { NetnsPath } from '@causeway/datapath';
import type { NodeId } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { milliseconds, minutes, randomUuid, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import { found, inexact } from '../src/exact.ts';

/** Network "blue", 10.66.0.0/29, with a container on each host. */
async function living(settings: { readonly managers?: number; readonly seed?: number } = {}) {
  const cluster = new SimCluster({ hosts: 3, ...settings });
  await cluster.start();
  const blue = await cluster.createNetwork('blue', '10.66.0.0/29');
  for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
  await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
  return { cluster, blue };
}

function remove(cluster: SimCluster, force = true) {
  const requestId = randomUuid(cluster.random);
  return cluster.ask((api, call) => api.node.removeNode({ requestId, node: 'h3', force }, call));
}

async function hosts(cluster: SimCluster): Promise<string[]> {
  const { nodes } = await cluster.ask((api, call) => api.node.listNodes(ListNodesRequest.create(), call));
  return nodes.map(({ name, ready }) => `${name}${ready ? '' : ' not ready'}`).sort();
}

async function endpoints(cluster: SimCluster): Promise<string[]> {
  const request = ListEndpointsRequest.create();
  const answer = await cluster.ask((api, call) => api.endpoint.listEndpoints(request, call));
  return answer.endpoints.map(({ name }) => name).sort();
}

async function hasInterface(cluster: SimCluster, container: string): Promise<boolean> {
  const namespace = await cluster.host('h3').kernel.read(`/run/netns/${container}` as NetnsPath, { sysctls: [] });
  return namespace?.links.has('eth0') ?? false;
}

/** How often the agent of h3 was told that its host was removed. */
const told = ({ log }: SimCluster): number =>
  log.lines.filter(({ fields }) => fields['code'] === 'node-removed').length;

/** An operator resets the host, lets it join again, and starts its agent. */
async function startsAnew(cluster: SimCluster): Promise<void> {
  const h3 = cluster.host('h3');
  await cluster.run(h3.stop());
  await cluster.run(h3.reset());
  h3.replace('bbbbbbbbbbbbbbb3' as NodeId);
  await cluster.run(h3.start());
}

describe('a host that is removed while it is cut off', () => {
  it('is gone from lists and from the kernels of the others at once; it comes back, is refused, and leaves its kernel alone', async () => {
    const { cluster, blue } = await living();
    cluster.connections.cut('h3');
    await cluster.advance(seconds(20));
    expect(await remove(cluster)).toMatchObject({ released: 1, interfacesRemoved: false });
    expect([await hosts(cluster), await endpoints(cluster)]).toEqual([
      ['h1', 'h2'],
      ['on-h1', 'on-h2'],
    ]);
    await cluster.advance(seconds(1));
    expect((await found(cluster, 'h1', blue)).filter((line) => line.includes(cluster.host('h3').vtep))).toEqual([]);
    const before = await found(cluster, 'h3', blue);
    const linesBefore = told(cluster);
    cluster.connections.heal('h3');
    await cluster.advance(minutes(5));
    expect(await hosts(cluster)).toEqual(['h1', 'h2']);
    const status = await cluster.run(cluster.host('h3').agent.api.getAgentStatus());
    expect(status).toMatchObject({ manager: '', removed: expect.stringContaining('was removed from the cluster') });
    expect([await found(cluster, 'h3', blue), await hasInterface(cluster, 'on-h3')]).toEqual([before, true]);
    // Once by the manager, and once by the agent.
    expect(told(cluster) - linesBefore).toBe(2);
    await expect(cluster.run(cluster.host('h3').attach('blue', 'more'))).rejects.toMatchObject({
      code: 'node-removed',
    });
  });

  it('does not hold up its addresses for longer than the cooldown, and no endpoint gets them sooner', async () => {
    const { cluster } = await living();
    cluster.connections.cut('h3');
    await cluster.advance(seconds(20));
    await remove(cluster);
    const take = () => cluster.run(cluster.host('h1').attach('blue', `taker-${cluster.clock.now()}`, '10.66.0.4'));
    await cluster.advance(seconds(50));
    await expect(take()).rejects.toMatchObject({ code: 'address-in-use' });
    await cluster.advance(seconds(15));
    expect((await take()).addresses).toEqual(['10.66.0.4/29']);
    // Its container still has the address; the new owner is the one that the others reach.
    cluster.connections.heal('h3');
    await cluster.advance(minutes(1));
    expect(cluster.host('h2').pings('on-h2', '10.66.0.4', [cluster.host('h1'), cluster.host('h2')])).toBe(true);
  });

  it('joins again under its name when it is reset', async () => {
    const { cluster } = await living();
    cluster.connections.cut('h3');
    await cluster.advance(seconds(20));
    await remove(cluster);
    cluster.connections.heal('h3');
    await cluster.advance(seconds(30));
    await startsAnew(cluster);
    await cluster.until('it is ready', async () => (await cluster.readyHosts()) === 3);
    expect(await hosts(cluster)).toEqual(['h1', 'h2', 'h3']);
    await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
    await cluster.run(cluster.host('h3').attach('blue', 'new'));
    await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
    expect(cluster.host('h1').pings('on-h1', '10.66.0.5', cluster.hosts)).toBe(true);
  });
});

it('a connected host that is removed by force loses its interfaces before its session', async () => {
  const { cluster } = await living();
  await expect(remove(cluster, false)).rejects.toMatchObject({ code: 'node-in-use' });
  expect(await remove(cluster)).toMatchObject({ released: 1, interfacesRemoved: true });
  expect(await hasInterface(cluster, 'on-h3')).toBe(false);
  await cluster.advance(seconds(10));
  expect((await cluster.run(cluster.host('h3').agent.api.getAgentStatus())).removed).not.toBe('');
  expect(await hosts(cluster)).toEqual(['h1', 'h2']);
});

it.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'a removal whose leader dies at any moment is all or nothing for the host, and the same call ends it (seed %i)',
  async (seed) => {
    const { cluster } = await living({ managers: 3, seed });
    cluster.connections.cut('h3');
    await cluster.advance(seconds(20));
    const requestId = randomUuid(cluster.random);
    const request = { requestId, node: 'h3', force: true };
    const removal = cluster.query((api, call) => api.node.removeNode(request, call));
    await cluster.advance(milliseconds(Math.floor(cluster.random.float() * 30)));
    const [leader] = cluster.leaders;
    if (leader !== undefined) cluster.killManager(leader);
    await cluster.run(removal);
    await cluster.until('the others are ready', async () => (await cluster.readyHosts()) === 2);
    expect([await hosts(cluster), await endpoints(cluster)]).toEqual([
      ['h1', 'h2'],
      ['on-h1', 'on-h2'],
    ]);
    cluster.connections.heal('h3');
    await cluster.advance(seconds(30));
    expect(await hosts(cluster)).toEqual(['h1', 'h2']);
    expect((await cluster.run(cluster.host('h3').agent.api.getAgentStatus())).removed).not.toBe('');
  },
);
