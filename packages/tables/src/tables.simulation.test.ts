import { describe, expect, test } from 'vitest';
import { network, nodeOf, put } from './testing/rows.ts';
import { SimCluster } from './testing/simulated-cluster.ts';
import { hostile, troubled } from './testing/story.ts';

const first = Number(process.env['CAUSEWAY_SEED'] ?? '1');
const count = Number(process.env['CAUSEWAY_SEEDS'] ?? '300');
/** In groups, so that a machine that does much else at a time ends each test in time. */
const group = 25;
const groups = Array.from({ length: Math.ceil(count / group) }, (_, i) => first + i * group);

/** Digests after news come every quarter of a second, and a host may have to compare with more than one peer. */
const patience = 5_000;

/** A peer is refused for these only if it forges. */
const forgeries = new Set(['bad-signature', 'forged-state', 'malformed', 'bad-key']);

/** Who was refused as a forger, by which hosts. */
function accused(cluster: SimCluster): ReadonlySet<string> {
  const names = [...cluster.hosts.values()].flatMap(({ refused }) =>
    [...refused].filter(([, whys]) => [...whys].some((why) => forgeries.has(why))).map(([name]) => name),
  );
  return new Set(names);
}

describe('after any trouble all tables equal the truth; the forger changes none, and only it is named a forger', () => {
  test.each(groups)('from seed %i on', (start) => {
    const failed: string[] = [];
    for (let seed = start; seed < Math.min(start + group, first + count); seed++) {
      const cluster = troubled(seed);
      cluster.network.run(patience, () => cluster.behind().length === 0);
      if (cluster.behind().length > 0) failed.push(`seed ${seed}: behind: ${cluster.behind()}`);
      if ([...accused(cluster)].join() !== hostile) failed.push(`seed ${seed}: accused: ${[...accused(cluster)]}`);
    }
    expect(failed).toEqual([]);
  });
});

test('the same seed gives the same run', () => {
  const [a, b, c] = [1, 1, 2].map((seed) => {
    const { network: net } = troubled(seed);
    return [net.datagrams, net.bytes].join();
  });
  expect(a).toBe(b);
  expect(a).not.toBe(c);
});

describe('a cluster at rest', () => {
  const agents = Array.from({ length: 48 }, (_, i) => nodeOf(i + 1));

  /** 50 members that agree, each with a row, and know the keys of both managers. */
  function settled(seed: number): SimCluster {
    const cluster = new SimCluster({ seed, agents, networks: [network] });
    cluster.change(
      network,
      agents.map((node, i) => put(i, { node })),
      'm1',
    );
    cluster.network.run(5_000);
    cluster.change(network, [put(0, { node: nodeOf(1), state: 'suspended' })], 'm2');
    cluster.network.run(15_000);
    return cluster;
  }

  test('one row costs each of 50 members two copies and two acknowledgements, and arrives in a few hops', () => {
    const cluster = settled(1);
    const { network: net } = cluster;
    const [datagrams, bytes] = [net.datagrams, net.bytes];
    cluster.change(network, [put(3, { node: nodeOf(4), state: 'suspended' })], 'm1');
    expect(net.run(1_000, () => cluster.behind().length === 0)).toBeLessThanOrEqual(20);
    // Beside 49 x 4 frames: some digests of the same 20 ms.
    expect(net.datagrams - datagrams).toBeLessThan(49 * 4 + 30);
    expect((net.bytes - bytes) / 50).toBeLessThan(560);
  });

  test('one row reaches all at 20 % loss with members that are dead but listed', () => {
    const cluster = settled(2);
    const { network: net } = cluster;
    for (const name of agents.slice(0, 3)) cluster.host(name).isUp = false;
    net.loss = 0.2;
    for (let i = 0; i < 20; i++) {
      cluster.change(network, [put(i, { node: nodeOf(i + 1), revision: BigInt(i) })], i % 2 === 0 ? 'm1' : 'm2');
      expect(net.run(2_000, () => cluster.behind().length === 0)).toBeLessThanOrEqual(1_000);
    }
  });

  test('1,000 rows of one manager reach 50 members, paced', () => {
    const cluster = settled(3);
    const rows = Array.from({ length: 1_000 }, (_, i) => put(1_000 + i, { node: agents[i % 48] ?? nodeOf(1) }));
    cluster.change(network, rows, 'm1');
    expect(cluster.network.run(10_000, () => cluster.behind().length === 0)).toBeLessThanOrEqual(1_000);
  });

  test('a host that starts with nothing gets its tables when all managers are dead', () => {
    const cluster = settled(4);
    for (const name of ['m1', 'm2']) cluster.host(name).isUp = false;
    cluster.host(nodeOf(5)).restart();
    expect(cluster.behind()).toEqual([nodeOf(5)]);
    expect(cluster.network.run(10_000, () => cluster.behind().length === 0)).toBeLessThanOrEqual(3_000);
  });

  test('what repair costs follows from what differs, and not from the size of the table', () => {
    const costs = [500, 4_000].map((size) => {
      const cluster = new SimCluster({ seed: 5, agents: agents.slice(0, 3), networks: [network] });
      const rows = Array.from({ length: size }, (_, i) => put(i, { node: nodeOf(1 + (i % 3)) }));
      cluster.change(network, rows, 'm1');
      cluster.network.run(20_000, () => cluster.behind().length === 0);
      const { network: net } = cluster;
      net.reaches = (from, to) => ![from, to].includes(nodeOf(2));
      cluster.change(network, [put(7, { state: 'suspended' })], 'm1');
      net.run(2_000);
      net.reaches = () => true;
      const bytes = net.bytes;
      net.run(5_000, () => cluster.behind().length === 0);
      expect(cluster.behind()).toEqual([]);
      return net.bytes - bytes;
    });
    expect(costs[1]).toBeLessThan(2 * (costs[0] ?? 0));
  });
});
