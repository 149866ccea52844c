import { type Op, overlayNetns } from '@causeway/datapath';
import { Ip as asIp, type Ip, Mac, type NetworkId } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import { found, inexact } from '../src/exact.ts';

async function running(settings = { hosts: 3 }): Promise<{ cluster: SimCluster; blue: string }> {
  const cluster = new SimCluster(settings);
  await cluster.start();
  const blue = await cluster.createNetwork('blue', '10.66.0.0/16', 'fd66::/64');
  return { cluster, blue };
}

function exact(cluster: SimCluster): Promise<void> {
  return cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
}

describe('a cluster in one process', () => {
  it('joins containers on all hosts, and says who has what', async () => {
    const { cluster } = await running();
    for (const [i, host] of cluster.hosts.entries()) {
      const { addresses } = await cluster.run(host.attach('blue', `c${i + 1}`));
      expect(addresses).toEqual([`10.66.0.${i + 2}/16`, `fd66::${i + 2}/64`]);
    }
    await exact(cluster);
    for (const host of cluster.hosts) {
      for (const i of [2, 3, 4]) {
        expect(host.pings(host.name.replace('h', 'c'), `10.66.0.${i}`, cluster.hosts), `${host.name} to ${i}`).toBe(
          true,
        );
        expect(host.pings(host.name.replace('h', 'c'), `fd66::${i}`, cluster.hosts), `${host.name} to v6 ${i}`).toBe(
          true,
        );
      }
    }
    const waited = await cluster.ask((api, call) => api.endpoint.waitEndpoint({ endpoint: 'c3', atLeast: 0n }, call));
    expect(waited.endpoint?.applied).toMatchObject({ have: 3, want: 3, waiting: [], unreachable: [] });
  });

  it('leaves hosts without an endpoint of a network alone', async () => {
    const { cluster, blue } = await running();
    await cluster.run(cluster.host('h1').attach('blue', 'a'));
    await cluster.run(cluster.host('h2').attach('blue', 'b'));
    await exact(cluster);
    expect(cluster.host('h3').kernel.namespaces.has(overlayNetns(blue as NetworkId))).toBe(false);
    expect(cluster.host('h3').kernel.writes).toBe(0);
  });

  it('keeps networks with one prefix apart in two address spaces', async () => {
    const cluster = new SimCluster({ hosts: 2 });
    await cluster.start();
    const subnets = [Subnet.create({ prefix: '10.0.0.0/24' })];
    for (const [i, tenant] of ['a', 'b'].entries()) {
      const requestId = `00000000-0000-4000-8000-00000000000${i}`;
      await cluster.ask((api, call) =>
        api.network.createNetwork(
          CreateNetworkRequest.create({ requestId, name: `net-${tenant}`, subnets, addressSpace: tenant }),
          call,
        ),
      );
    }
    await cluster.run(cluster.host('h1').attach('net-a', 'a1'));
    await cluster.run(cluster.host('h1').attach('net-b', 'b1'));
    await cluster.run(cluster.host('h2').attach('net-a', 'a2'));
    await exact(cluster);
    expect(cluster.host('h1').pings('a1', '10.0.0.3', cluster.hosts)).toBe(true);
    expect(cluster.host('h1').pings('b1', '10.0.0.3', cluster.hosts)).toBe(false);
  });

  it('gives an address back after detach and takes it out of every kernel', async () => {
    const { cluster } = await running();
    for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
    await exact(cluster);
    await cluster.run(cluster.host('h2').detach('on-h2'));
    await exact(cluster);
    await expect(cluster.run(cluster.host('h2').detach('on-h2'))).rejects.toMatchObject({ code: 'endpoint-unknown' });
    expect(cluster.host('h2').kernel.namespaces.size).toBe(2);
  });
});

describe('an agent', () => {
  it('killed and started again with nothing changed writes nothing', async () => {
    const { cluster } = await running();
    for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
    await exact(cluster);
    const host = cluster.host('h2');
    const before = host.kernel.writes;
    for (let i = 0; i < 20; i++) {
      host.kill();
      await cluster.advance(milliseconds(300));
      await cluster.run(host.start());
      await cluster.advance(seconds(3));
    }
    expect(host.kernel.writes).toBe(before);
    expect(host.pings('on-h2', '10.66.0.2', cluster.hosts)).toBe(true);
  });

  it('makes only the changes it missed while it was down', async () => {
    const { cluster } = await running();
    for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
    await exact(cluster);
    const host = cluster.host('h2');
    host.kill();
    await cluster.run(cluster.host('h3').attach('blue', 'new'));
    const before = host.kernel.writes;
    await cluster.run(host.start());
    await exact(cluster);
    expect(host.kernel.writes - before).toBe(3); // one FDB entry, one neighbour of each family
  });

  it.each([
    [
      'a deleted FDB entry',
      (netns: string, mac: Mac, vtep: Ip): Op => ({ op: 'fdb.delete', netns, dev: 'vxlan0', mac, target: vtep }) as Op,
    ],
    [
      'a vxlan device set down',
      (netns: string): Op => ({ op: 'link.set', netns, name: 'vxlan0', change: { up: false } }) as Op,
    ],
    [
      'a foreign FDB entry',
      (netns: string): Op =>
        ({ op: 'fdb.set', netns, dev: 'vxlan0', mac: Mac('02:00:00:00:00:66'), target: asIp('10.90.0.66') }) as Op,
    ],
    ['a deleted vxlan device', (netns: string): Op => ({ op: 'link.delete', netns, name: 'vxlan0' }) as Op],
  ])('repairs %s within two seconds, counts the repair and reports it', async (_name, damage) => {
    const { cluster, blue } = await running();
    for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
    await exact(cluster);
    const { kernel } = cluster.host('h1');
    const [, mac, vtep] = (await found(cluster, 'h1', blue)).find((line) => line.startsWith('fdb'))?.split(' ') ?? [];
    kernel.foreign(damage(overlayNetns(blue as NetworkId), mac as Mac, vtep as Ip));
    await cluster.advance(seconds(2));
    expect(await inexact(cluster)).toEqual([]);
    expect(cluster.host('h1').pings('on-h1', '10.66.0.3', cluster.hosts)).toBe(true);
    await cluster.advance(seconds(3));
    const status = await cluster.ask((api, call) => api.cluster.getStatus({}, call));
    expect(status.repairs).toBeGreaterThan(0n);
    expect(status.drift).toBe(0);
  });

  it('gives up an endpoint whose namespace is gone', async () => {
    const { cluster } = await running();
    for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
    cluster.host('h3').kernel.foreign({ op: 'netns.delete', netns: '/run/netns/on-h3' as never });
    await cluster.until('the endpoint is gone', async () => {
      const { endpoints } = await cluster.ask((api, call) =>
        api.endpoint.listEndpoints(ListEndpointsRequest.create({ network: 'blue' }), call),
      );
      return endpoints.length === 2;
    });
    await exact(cluster);
  });

  it('cut off from the managers keeps its containers talking and catches up when it is back', async () => {
    const { cluster } = await running();
    for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
    await exact(cluster);
    cluster.connections.cut('h1');
    await cluster.advance(seconds(30));
    expect(await cluster.readyHosts()).toBe(2);
    const shown = await cluster.ask((api, call) => api.endpoint.getEndpoint({ endpoint: 'on-h2', atLeast: 0n }, call));
    expect(shown.endpoint?.applied?.unreachable).toEqual(['h1']);
    expect(cluster.host('h1').pings('on-h1', '10.66.0.3', cluster.hosts)).toBe(true);
    await cluster.run(cluster.host('h2').attach('blue', 'late'));
    cluster.connections.heal('h1');
    await exact(cluster);
    expect(cluster.host('h1').pings('on-h1', '10.66.0.5', cluster.hosts)).toBe(true);
  });
});

describe('managers', () => {
  it('a second manager stands by and takes over; nothing acknowledged is lost', async () => {
    const cluster = new SimCluster({ hosts: 2, managers: 2 });
    await cluster.start();
    await cluster.createNetwork('blue', '10.66.0.0/16');
    await cluster.run(cluster.host('h1').attach('blue', 'a'));
    const [leader] = cluster.leaders;
    expect(cluster.leaders.length).toBe(1);
    cluster.killManager(leader ?? '');
    const b = await cluster.run(cluster.host('h2').attach('blue', 'b'));
    expect(b.addresses).toEqual(['10.66.0.3/16']);
    expect(cluster.leaders.length).toBe(1);
    expect(cluster.leaders[0]).not.toBe(leader);
    await exact(cluster);
    await cluster.startManager(leader ?? '');
    await cluster.advance(seconds(10));
    expect(cluster.leaders.length).toBe(1);
  });

  it('all down: containers talk on, agents restart from their ledger, and attach works again after', async () => {
    const { cluster } = await running();
    for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
    await exact(cluster);
    cluster.killManager('m1');
    cluster.host('h2').kill();
    await cluster.advance(seconds(60));
    const before = cluster.host('h2').kernel.writes;
    await cluster.run(cluster.host('h2').start());
    await cluster.advance(seconds(60));
    expect(cluster.host('h2').kernel.writes).toBe(before);
    expect(cluster.host('h2').pings('on-h2', '10.66.0.2', cluster.hosts)).toBe(true);
    await expect(cluster.run(cluster.host('h1').attach('blue', 'refused'))).rejects.toMatchObject({
      kind: 'unavailable',
    });
    await cluster.startManager('m1');
    // An attach without a session fails at once. The session must be back within 3 s.
    await cluster.advance(seconds(3));
    const late = await cluster.run(cluster.host('h1').attach('blue', 'late'));
    expect(late.addresses[0]).toBe('10.66.0.5/16');
    await exact(cluster);
  });
});
