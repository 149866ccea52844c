import { type Duration, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import type { SimHost } from '../src/host.ts';

/** CAUSEWAY_SEED=n repeats one run; CAUSEWAY_SEEDS=n does the first n. */
const { CAUSEWAY_SEED: one, CAUSEWAY_SEEDS: many = '6' } = process.env;
const seeds = one === undefined ? Array.from({ length: Number(many) }, (_, i) => i + 1) : [Number(one)];

/** Bytes that VXLAN adds to a frame. */
const vxlan = 50;

/** The MTU of each container's interface, by the container's name. A container without interface is left out. */
function interfaces(host: SimHost): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [path, { links }] of host.kernel.namespaces) {
    const link = path.startsWith('/run/netns/on-') ? links.get('eth0')?.link : undefined;
    if (link?.kind === 'veth' && link.up) found.set(path, link.mtu);
  }
  return found;
}

/**
 * Checks after every step of every kernel: no container may send packets that are too large for the path to another
 * host.
 */
class PathWatch {
  readonly faults: string[] = [];
  looks = 0;
  readonly #cluster: SimCluster;
  readonly #underlay: ReadonlyMap<string, number>;

  constructor(cluster: SimCluster, underlay: ReadonlyMap<string, number>) {
    this.#cluster = cluster;
    this.#underlay = underlay;
    for (const { kernel } of cluster.hosts) {
      const apply = kernel.apply.bind(kernel);
      kernel.apply = async (ops) => {
        const results = await apply(ops);
        this.#look();
        return results;
      };
    }
  }

  #look(): void {
    this.looks++;
    const hosts = this.#cluster.hosts.map((host) => ({ name: host.name, interfaces: interfaces(host) }));
    for (const from of hosts) {
      for (const to of hosts) {
        if (from === to || to.interfaces.size === 0) continue;
        const room = (this.#underlay.get(to.name) ?? 0) - vxlan;
        for (const [container, mtu] of from.interfaces)
          if (mtu > room) this.faults.push(`${container} has ${mtu}, ${to.name} carries ${room}`);
      }
    }
  }
}

interface Scene {
  readonly cluster: SimCluster;
  readonly watch: PathWatch;
}

/** Hosts with these underlay MTUs. The first `there` hosts start now, the others later. */
async function scene(underlays: readonly number[], there: number, managers = 1): Promise<Scene> {
  const cluster = new SimCluster({ hosts: underlays.length, managers, mtu: underlays });
  const watch = new PathWatch(cluster, new Map(cluster.hosts.map(({ name }, i) => [name, underlays[i] ?? 0])));
  await cluster.start(cluster.hosts.slice(0, there));
  await cluster.createNetwork('blue', '10.66.0.0/16');
  for (const host of cluster.hosts.slice(0, there)) await cluster.run(host.attach('blue', `on-${host.name}`));
  return { cluster, watch };
}

async function comes(cluster: SimCluster, name: string): Promise<void> {
  const host = cluster.host(name);
  await cluster.run(host.start());
  await cluster.run(host.attach('blue', `on-${name}`));
}

const mtusOf = (cluster: SimCluster): number[] => cluster.hosts.flatMap((host) => [...interfaces(host).values()]);

describe('a host with a smaller underlay', () => {
  it('gets an endpoint when all the others have come down to what it carries', async () => {
    const { cluster, watch } = await scene([1500, 1500, 1400], 2);
    expect(mtusOf(cluster)).toEqual([1450, 1450]);
    await comes(cluster, 'h3');
    expect(mtusOf(cluster)).toEqual([1350, 1350, 1350]);
    expect(watch.looks).toBeGreaterThan(5);
    expect(watch.faults).toEqual([]);
  });

  it('waits for a slow host, and the error names the host when that takes too long', async () => {
    const { cluster, watch } = await scene([1500, 1500, 1400], 2);
    const release = stall(cluster.host('h1'));
    await cluster.run(cluster.host('h3').start());
    await expect(cluster.run(cluster.host('h3').attach('blue', 'on-h3'))).rejects.toMatchObject({
      code: 'mtu-pending',
      message: expect.stringContaining('lowered to 1350 bytes, which is what h3 carries'),
    });
    release();
    await cluster.run(cluster.host('h3').attach('blue', 'again', undefined));
    expect(watch.faults).toEqual([]);
  });

  it('waits for a host that is between two leaders', async () => {
    const { cluster, watch } = await scene([1500, 1500, 1400], 2, 2);
    const release = stall(cluster.host('h1'));
    await cluster.run(cluster.host('h3').start());
    await cluster.until('it is ready', async () => (await cluster.readyHosts()) === 3);
    for (const leader of cluster.leaders) cluster.killManager(leader);
    await cluster.until('another leads', () => cluster.leaders.length === 1);
    const attached = cluster.host('h3').attach('blue', 'on-h3');
    await cluster.advance(seconds(3));
    release();
    await cluster.run(attached);
    expect(mtusOf(cluster)).toEqual([1350, 1350, 1350]);
    expect(watch.faults).toEqual([]);
  });

  it('does not wait for a host that is silent', async () => {
    const { cluster } = await scene([1500, 1500, 1400], 2);
    cluster.connections.cut('h1');
    await cluster.until('its session is lost', async () => (await cluster.readyHosts()) === 1);
    await comes(cluster, 'h3');
    expect(interfaces(cluster.host('h2'))).toEqual(new Map([['/run/netns/on-h2', 1350]]));
  });

  it.each(seeds)('comes among many others at any time (seed %d)', async (seed) => {
    const random = new SeededRandom(seed);
    const underlays = [1500, 1500, ...Array.from({ length: 4 }, () => 1500 - 20 * Math.floor(random.float() * 10))];
    const { cluster, watch } = await scene(underlays, 2, 2);
    for (const host of cluster.hosts) slow(host, cluster, random);
    const coming = cluster.hosts.slice(2).map(async ({ name }) => {
      await cluster.clock.sleep(Math.floor(random.float() * 2_000) as Duration);
      const host = cluster.host(name);
      await host.start();
      for (let n = 0; n < 3; n++) await host.attach('blue', `on-${name}-${n}`);
    });
    await cluster.run(Promise.all(coming));
    expect(watch.faults).toEqual([]);
    expect(new Set(mtusOf(cluster))).toEqual(new Set([Math.min(...underlays) - vxlan]));
  });
});

/** Makes each step of the host's kernel take up to a second. */
function slow({ kernel }: SimHost, { clock }: SimCluster, random: SeededRandom): void {
  const apply = kernel.apply.bind(kernel);
  kernel.apply = async (ops) => {
    await clock.sleep(Math.floor(random.float() * 1_000) as Duration);
    return await apply(ops);
  };
}

/** Stops the host's kernel from taking steps until the returned function is called. */
function stall({ kernel }: SimHost): () => void {
  const apply = kernel.apply.bind(kernel);
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  kernel.apply = async (ops) => {
    await opened;
    return await apply(ops);
  };
  return open;
}
