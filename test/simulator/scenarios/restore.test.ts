import type { NetnsPath } from '@causeway/datapath';
import { addressesOf } from '@causeway/datapath/testing';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { minutes, seconds } from '@causeway/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import { inexact } from '../src/exact.ts';

let cluster: SimCluster;

beforeEach(async () => {
  cluster = new SimCluster({ hosts: 3 });
  await cluster.start();
  await cluster.createNetwork('blue', '10.66.0.0/16');
  for (const host of cluster.hosts) await attach(host.name, `on-${host.name}`);
});

function attach(host: string, name: string, network = 'blue'): Promise<Endpoint> {
  return cluster.run(cluster.host(host).attach(network, name));
}

async function names(): Promise<string[]> {
  const { endpoints } = await cluster.ask((api, call) =>
    api.endpoint.listEndpoints(ListEndpointsRequest.create(), call),
  );
  return endpoints.map(({ host, name, addresses }) => `${host} ${name} ${addresses}`);
}

function exact(): Promise<void> {
  return cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
}

function recovered(): Promise<void> {
  return cluster.until('the recovery is over', () => lines('cluster.recovered') > 0);
}

function lines(event: string): number {
  return cluster.log.lines.filter((line) => line.event === event).length;
}

async function states(host: string): Promise<string[]> {
  const { sandboxes } = await cluster.host(host).agent.api.listSandboxes();
  return sandboxes.map(({ endpoint, state }) => `${endpoint?.name} ${state}`);
}

/** Containers on any host that have the address on an interface. */
function holders(address: string): string[] {
  return cluster.hosts.flatMap(({ name, kernel }) =>
    [...kernel.namespaces]
      .filter(([netns]) => !netns.includes('/cw-'))
      .filter(([, { links }]) =>
        [...links.values()].some((link) => [...addressesOf(link)].some((each) => each === address)),
      )
      .map(([netns]) => `${name} ${netns.replace('/run/netns/', '')}`),
  );
}

describe('after a restore from a backup', () => {
  it('agents keep what they have, alarm, and claim again what the store does not know', async () => {
    const backup = cluster.backup();
    const late = await attach('h2', 'late');
    await cluster.run(cluster.host('h3').detach('on-h3'));
    await exact();
    const writes = cluster.hosts.map(({ kernel }) => kernel.writes);
    cluster.killManager('m1');
    await cluster.advance(seconds(10));
    expect(cluster.hosts.map(({ kernel }) => kernel.writes)).toEqual(writes);
    await cluster.startManager('m1');

    await cluster.restore(backup);
    await recovered();
    await exact();
    expect(lines('cluster.epoch-changed')).toBe(3);
    expect(await names()).toEqual(['h2 late 10.66.0.5/16', 'h1 on-h1 10.66.0.2/16', 'h2 on-h2 10.66.0.3/16']);
    const { endpoint } = await cluster.ask((api, call) =>
      api.endpoint.getEndpoint({ endpoint: 'late', atLeast: 0n }, call),
    );
    expect(endpoint?.id).toBe(late.id);
    expect(cluster.host('h1').pings('on-h1', '10.66.0.5', cluster.hosts)).toBe(true);
    expect(cluster.host('h2').pings('late', '10.66.0.2', cluster.hosts)).toBe(true);
  });

  it('what hosts have applied before counts for nothing: an address is not given again too early', async () => {
    const backup = cluster.backup();
    for (let i = 0; i < 30; i++) await cluster.run(cluster.host('h1').detach((await attach('h1', `busy-${i}`)).id));
    await cluster.restore(backup);
    await recovered();
    await exact();
    const late = await attach('h2', 'late');
    const waited = cluster.ask((api, call) =>
      api.endpoint.waitEndpoint({ endpoint: 'late', atLeast: late.revision }, call),
    );
    expect((await waited).endpoint?.applied).toMatchObject({ have: 3, want: 3 });
    for (const { name, agent } of cluster.hosts) {
      const [blue] = (await agent.api.getAgentStatus()).networks;
      expect(blue?.applied, name).toBe(blue?.revision);
      expect(blue?.applied, name).toBeGreaterThanOrEqual(late.revision);
      expect(blue?.applied, name).toBeLessThan(backup.revision + 30n);
    }
  });

  it('no address is given before the hosts have claimed their endpoints again', async () => {
    const backup = cluster.backup();
    await attach('h2', 'late');
    await cluster.restore(backup);
    const early = cluster.host('h1').attach('blue', 'early');
    expect((await cluster.run(early)).addresses).toEqual(['10.66.0.6/16']);
    expect(await names()).toContain('h2 late 10.66.0.5/16');
    await exact();
  });

  it('an attach answers the same again, at a revision that will come', async () => {
    const backup = cluster.backup();
    cluster.host('h1').container('late');
    const requestId = '00000000-0000-4000-8000-000000000001';
    const order = {
      requestId,
      network: 'blue',
      name: 'late',
      netns: '/run/netns/late',
      ifname: '',
      addresses: [],
      labels: {},
      gatewayPriority: 0,
    };
    const first = await cluster.run(cluster.host('h1').agent.api.attach(order));
    await cluster.restore(backup);
    const meanwhile = await cluster.run(cluster.host('h1').agent.api.attach(order));
    expect(meanwhile.endpoint?.id).toBe(first.endpoint?.id);
    await recovered();
    const again = await cluster.run(cluster.host('h1').agent.api.attach(order));
    expect(again.endpoint?.id).toBe(first.endpoint?.id);
    const atLeast = again.endpoint?.revision ?? 0n;
    await cluster.ask((api, call) => api.endpoint.waitEndpoint({ endpoint: 'late', atLeast }, call));
    await cluster.run(cluster.host('h1').detach('late'));
    await exact();
  });

  it('a container made anew meanwhile under its name keeps what it has, on whichever host', async () => {
    await attach('h1', 'web');
    const backup = cluster.backup();
    await cluster.run(cluster.host('h1').detach('web'));
    await attach('h2', 'web');
    await cluster.run(cluster.host('h3').detach('on-h3'));
    await attach('h3', 'on-h3');
    const before = (await names()).sort();
    await cluster.restore(backup);
    await recovered();
    await exact();
    expect((await names()).sort()).toEqual(before);
    expect(lines('endpoint.cut-off')).toBe(0);
  });

  it('an agent that was down meanwhile claims again when it is back', async () => {
    const backup = cluster.backup();
    await attach('h2', 'late');
    cluster.host('h2').kill();
    await cluster.restore(backup);
    const writes = cluster.host('h2').kernel.writes;
    await cluster.run(cluster.host('h2').start());
    await recovered();
    await exact();
    expect(cluster.host('h2').kernel.writes).toBe(writes);
    expect(await names()).toContain('h2 late 10.66.0.5/16');
  });

  it('where a network is unknown, its containers are cut off; a newer backup brings them back', async () => {
    const older = cluster.backup();
    await cluster.createNetwork('green', '10.67.0.0/16');
    await attach('h2', 'late', 'green');
    await attach('h3', 'later', 'green');
    await exact();
    const newer = cluster.backup();
    await cluster.restore(older);
    await recovered();
    await cluster.until('both are cut off', () => lines('endpoint.cut-off') === 2);
    await cluster.advance(seconds(1));
    expect(await states('h2')).toEqual(['on-h2 attached', 'late refused']);
    expect(holders('10.67.0.2/16')).toEqual([]);
    await cluster.restore(newer);
    await cluster.until('all is attached again', async () => (await states('h3')).includes('later attached'));
    await exact();
    expect(holders('10.67.0.2/16')).toEqual(['h2 late']);
    expect(cluster.host('h2').pings('late', '10.67.0.3', cluster.hosts)).toBe(true);
  });

  it('a host that could not be reached is cut off from an address that has been given since', async () => {
    const backup = cluster.backup();
    await attach('h2', 'late');
    cluster.connections.cut('h2');
    await cluster.restore(backup);
    await cluster.advance(minutes(1.5));
    expect((await attach('h1', 'thief')).addresses).toEqual(['10.66.0.5/16']);
    cluster.connections.heal('h2');
    await cluster.until('it is cut off', () => lines('endpoint.cut-off') === 1);
    await cluster.until('its interface is gone', () => holders('10.66.0.5/16').length === 1);
    expect(holders('10.66.0.5/16')).toEqual(['h1 thief']);
    await exact();
    expect(cluster.host('h3').pings('on-h3', '10.66.0.5', cluster.hosts)).toBe(true);
    // The refusal must also survive a restart of the agent.
    cluster.host('h2').kill();
    await cluster.run(cluster.host('h2').start());
    await cluster.advance(seconds(10));
    expect(holders('10.66.0.5/16')).toEqual(['h1 thief']);

    await cluster.run(cluster.host('h1').detach('thief'));
    await cluster.until('it has it back', () => holders('10.66.0.5/16').includes('h2 late'));
    await exact();
    expect(await names()).toContain('h2 late 10.66.0.5/16');
    expect(await cluster.host('h2').kernel.identify('/run/netns/late' as NetnsPath)).toBeDefined();
  });
});
