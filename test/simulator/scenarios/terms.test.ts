import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it, test } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import { inexact } from '../src/exact.ts';
import { seedBatches } from './seeds.ts';

/** Longer than a change of leader, and shorter than the time since a term that ended some minutes ago. */
const nodeGoneAfter = seconds(60);

/** Network "blue" with a container on each host. A manager that wins an election gets no store changes for `gap`. */
async function living(seed: number, managers: number, gap: () => Duration): Promise<SimCluster> {
  const cluster = new SimCluster({ hosts: 3, managers, seed, nodeGoneAfter, electionGap: gap });
  await cluster.start();
  await cluster.createNetwork('blue', '10.66.0.0/24');
  for (const host of cluster.hosts) await cluster.run(host.attach('blue', `on-${host.name}`));
  await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
  return cluster;
}

function endpoints(cluster: SimCluster): number {
  return [...cluster.backup().kvs].filter(({ key }) => key.startsWith('/causeway/v1/endpoint/')).length;
}

async function leader(cluster: SimCluster): Promise<string> {
  await cluster.until('one manager leads', () => cluster.leaders.length === 1);
  return cluster.leaders[0] ?? '';
}

describe('a manager that leads again', () => {
  it.each([0, 1, 2, 3, 5, 6, 12])('releases nothing of hosts that live, with a view %i s behind', async (gap) => {
    let isArmed = false;
    const cluster = await living(1, 2, () => (isArmed ? seconds(gap) : milliseconds(0)));
    await cluster.advance(seconds(40));
    const first = await leader(cluster);
    cluster.store(first).setReachable(false);
    await cluster.advance(seconds(8));
    cluster.store(first).setReachable(true);
    const second = await leader(cluster);
    expect(second).not.toBe(first);
    await cluster.advance(seconds(100));
    expect(await cluster.reachableNow()).toHaveLength(3);
    isArmed = true;
    const stopping = cluster.stopManager(second);
    await cluster.advance(seconds(30));
    await stopping;
    expect(await leader(cluster)).toBe(first);
    expect(endpoints(cluster)).toBe(3);
    await cluster.stop();
  });
});

describe('whatever terms managers have, and however late their views are at the beginning', () => {
  test.each(seedBatches(24))('%s: no live host loses an endpoint', async (_, seeds) => {
    let terms = 0;
    for (const seed of seeds) terms += await storm(seed);
    expect(terms).toBeGreaterThan(seeds.length * 4);
  });
});

/** Some minutes with changing leaders. Returns the number of terms. Hosts and their connections work throughout. */
async function storm(seed: number): Promise<number> {
  const random = new SeededRandom(seed);
  const between = (least: number, most: number): Duration => seconds(least + random.float() * (most - least));
  const cluster = await living(seed, 3, () => (random.float() < 0.7 ? between(0, 15) : milliseconds(0)));
  const terms = new Set<string>();
  for (let round = 0; round < 8; round++) {
    const name = await leader(cluster);
    const depose = [
      async (): Promise<void> => {
        cluster.store(name).setReachable(false);
        await cluster.advance(between(4, 10));
        cluster.store(name).setReachable(true);
      },
      async (): Promise<void> => {
        await cluster.run(cluster.store(name).txn([], [{ kind: 'delete', key: '/causeway/v1/leader' }]));
      },
      // The manager is alive, but the others take its process for gone.
      async (): Promise<void> => {
        cluster.ports.close(`${name}:7443`);
        await cluster.advance(between(0, 5));
        cluster.ports.listen(`${name}:7443`, () => cluster.manager(name).isLeader);
      },
      async (): Promise<void> => {
        await cluster.stopManager(name);
        await cluster.advance(between(0, 5));
        await cluster.startManager(name);
      },
      async (): Promise<void> => {
        cluster.killManager(name);
        await cluster.advance(between(0, 5));
        await cluster.startManager(name);
      },
    ];
    await depose[Math.floor(random.float() * depose.length)]?.();
    await cluster.advance(between(1, 100));
    expect(endpoints(cluster), `seed ${seed}, round ${round}`).toBe(3);
    for (const { fields } of cluster.log.lines.filter(({ event }) => event === 'leader.elected'))
      terms.add(String(fields?.['term']));
  }
  await cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);
  await cluster.stop();
  return terms.size;
}
