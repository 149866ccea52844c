import { isCausewayError } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import { inexact } from '../src/exact.ts';

/** CAUSEWAY_SEED=n repeats one run; CAUSEWAY_SEEDS=n does the first n. */
const { CAUSEWAY_SEED: one, CAUSEWAY_SEEDS: many = '8' } = process.env;
const seeds = one === undefined ? Array.from({ length: Number(many) }, (_, i) => i + 1) : [Number(one)];
const steps = 100;

/**
 * Random attach, detach, kill, cut and heal, with lost replies. Then everything comes back: every kernel must be exact, no
 * address may be held twice, acknowledged endpoints must exist and released ones must be gone.
 */
describe('a cluster under random accidents', () => {
  it.each(seeds)('ends exact (seed %d)', async (seed) => {
    const random = new SeededRandom(seed);
    const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random.float() * items.length)];
    const cluster = new SimCluster({ hosts: 5, managers: 3, seed });
    await cluster.start();
    const networks = ['blue', 'red'];
    await cluster.createNetwork('blue', '10.66.0.0/24', 'fd66::/64');
    await cluster.createNetwork('red', '10.67.0.0/24');
    cluster.connections.replyLoss = 0.1;

    const acknowledged = new Map<string, { host: string; addresses: string }>();
    const undecided = new Set<string>();
    const downHosts = new Set<string>();
    const cutHosts = new Set<string>();
    const downManagers = new Set<string>();
    let count = 0;

    const settle = async (name: string, work: Promise<() => void>): Promise<void> => {
      try {
        (await cluster.run(work))();
        undecided.delete(name);
      } catch (error) {
        if (!isCausewayError(error)) throw error;
        if (error.kind === 'unavailable') undecided.add(name);
      }
    };

    const up = (): typeof cluster.hosts => cluster.hosts.filter((host) => !downHosts.has(host.name));
    const actions: readonly (() => Promise<void> | void)[] = [
      ...Array<() => Promise<void>>(6).fill(async () => {
        const [host, network] = [pick(up()), pick(networks)];
        if (host === undefined || network === undefined) return;
        const name = `e${count++}`;
        const attach = host.attach(network, name).then(({ addresses }) => () => {
          acknowledged.set(name, { host: host.name, addresses: addresses.join() });
        });
        await settle(name, attach);
      }),
      ...Array<() => Promise<void>>(3).fill(async () => {
        const [name, held] = pick([...acknowledged]) ?? [];
        if (name === undefined || held === undefined || downHosts.has(held.host)) return;
        const detach = cluster
          .host(held.host)
          .detach(name)
          .then(() => () => undefined);
        acknowledged.delete(name);
        undecided.add(name);
        await settle(name, detach);
      }),
      () => {
        const host = pick(up());
        if (host === undefined || up().length < 3) return;
        host.kill();
        downHosts.add(host.name);
      },
      async () => {
        const name = pick([...downHosts]);
        if (name === undefined) return;
        await cluster.run(cluster.host(name).start());
        downHosts.delete(name);
      },
      () => {
        const host = pick(cluster.hosts);
        if (host === undefined || cutHosts.size > 1) return;
        cluster.connections.cut(host.name);
        cutHosts.add(host.name);
      },
      () => {
        const name = pick([...cutHosts]);
        if (name === undefined) return;
        cluster.connections.heal(name);
        cutHosts.delete(name);
      },
      () => {
        const name = pick(cluster.leaders);
        if (name === undefined || downManagers.size > 1) return;
        cluster.killManager(name);
        downManagers.add(name);
      },
      async () => {
        const name = pick([...downManagers]);
        if (name === undefined) return;
        await cluster.startManager(name);
        downManagers.delete(name);
      },
      () => cluster.advance(milliseconds(Math.floor(random.float() * 4_000))),
    ];
    for (let step = 0; step < steps; step++) await pick(actions)?.();

    cluster.connections.replyLoss = 0;
    for (const name of cutHosts) cluster.connections.heal(name);
    for (const name of downManagers) await cluster.startManager(name);
    for (const name of downHosts) await cluster.run(cluster.host(name).start());
    await cluster.until('all hosts are back', async () => (await cluster.readyHosts()) === cluster.hosts.length);
    await cluster.advance(seconds(40));
    await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);

    const { endpoints } = await cluster.ask((api, call) =>
      api.endpoint.listEndpoints(ListEndpointsRequest.create(), call),
    );
    const held = endpoints.flatMap(({ network, addresses }) => addresses.map((address) => `${network} ${address}`));
    expect(new Set(held).size, 'an address is held twice').toBe(held.length);
    const byName = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));
    for (const [name, { host, addresses }] of acknowledged) {
      const kept = byName.get(name);
      expect([kept?.host, kept?.addresses.join()], `${name} was acknowledged`).toEqual([host, addresses]);
    }
    for (const name of byName.keys()) {
      expect(acknowledged.has(name) || undecided.has(name), `${name} was never acknowledged`).toBe(true);
    }
    expect(cluster.leaders.length).toBe(1);
  });
});
