import { type Change, watchEndpoints } from '@causeway/ctl';
import { isCausewayError } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';

/** CAUSEWAY_SEED=n repeats one run; CAUSEWAY_SEEDS=n does the first n. */
const { CAUSEWAY_SEED: one, CAUSEWAY_SEEDS: many = '6' } = process.env;
const seeds = one === undefined ? Array.from({ length: Number(many) }, (_, i) => i + 1) : [Number(one)];

/** Knows the endpoints only from `causeway endpoint list --watch`. Each event must be a real change. */
class Watcher {
  readonly #known = new Map<string, Endpoint>();
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;
  revision = 0n;

  constructor(cluster: SimCluster) {
    const { clock } = cluster;
    const { signal } = this.#stop;
    const managers = {
      watchEndpoints: (request: Parameters<Parameters<typeof watchEndpoints>[0]['watchEndpoints']>[0]) =>
        cluster.stream((api, until) => api.endpoint.watchEndpoints(request, until), signal),
    };
    const everything = { selector: '', field: '' };
    const changes = watchEndpoints(managers, everything, { clock, signal, patience: seconds(60) });
    this.#reading = (async () => {
      for await (const change of changes) this.#take(change);
    })();
  }

  get list(): readonly string[] {
    return [...this.#known.values()].map(tell).sort();
  }

  /** Fails if an event was not a change. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  #take(change: Change<Endpoint>): void {
    this.revision = change.revision;
    if (change.type === 'BOOKMARK') return;
    const { id } = change.item;
    expect([change.type, this.#known.has(id)]).toEqual([change.type, change.type !== 'ADDED']);
    if (change.type === 'MODIFIED') expect(tell(change.item)).not.toBe(tell(this.#known.get(id)));
    if (change.type === 'REMOVED') this.#known.delete(id);
    else this.#known.set(id, change.item);
  }
}

function tell(endpoint: Endpoint | undefined): string {
  if (endpoint === undefined) return '';
  const { id, name, network, host, addresses, revision } = endpoint;
  return `${name} ${id} on ${network}, ${host}: ${addresses.join(' ')} at ${revision}`;
}

async function listed(cluster: SimCluster): Promise<readonly string[]> {
  const { endpoints } = await cluster.ask((api, call) =>
    api.endpoint.listEndpoints(ListEndpointsRequest.create(), call),
  );
  return endpoints.map(tell).sort();
}

describe('a watch over managers that come and go', () => {
  it.each(seeds)('tells every change once, and ends with what the list has (seed %d)', async (seed) => {
    const random = new SeededRandom(seed);
    const cluster = new SimCluster({ hosts: 2, managers: 3, seed });
    await cluster.start();
    await cluster.createNetwork('blue', '10.66.0.0/24');
    const watchers = [new Watcher(cluster), new Watcher(cluster)];
    let count = 0;
    const attached: string[] = [];
    const down: string[] = [];
    const at = (n: number) => cluster.host(`h${1 + (n % 2)}`);
    for (let step = 0; step < 60; step++) {
      const dice = random.float();
      try {
        if (dice < 0.6) {
          const name = `e${count}`;
          await cluster.run(at(count++).attach('blue', name));
          attached.push(name);
        } else if (dice < 0.75) {
          const name = attached.shift();
          if (name !== undefined) await cluster.run(at(Number(name.slice(1))).detach(name));
        } else if (dice < 0.85 && down.length === 0) {
          const name = `m${1 + Math.floor(random.float() * 3)}`;
          cluster.killManager(name);
          down.push(name);
        } else {
          for (const name of down.splice(0)) await cluster.startManager(name);
        }
      } catch (error) {
        if (!isCausewayError(error)) throw error;
      }
      await cluster.advance(milliseconds(Math.floor(random.float() * 2_000)));
    }
    for (const name of down) await cluster.startManager(name);
    await cluster.until('every watcher knows the list', async () => {
      const list = (await listed(cluster)).join('\n');
      return watchers.every((watcher) => watcher.list.join('\n') === list);
    });
    for (const watcher of watchers) await cluster.run(watcher.stop());
    await cluster.stop();
  });

  it('goes on over a restore of the store, telling what is different', async () => {
    const cluster = new SimCluster({ hosts: 1, managers: 1 });
    await cluster.start();
    await cluster.createNetwork('blue', '10.66.0.0/24');
    await cluster.run(cluster.host('h1').attach('blue', 'before'));
    const backup = cluster.backup();
    const watcher = new Watcher(cluster);
    await cluster.run(cluster.host('h1').attach('blue', 'after'));
    await cluster.until('both are known', () => watcher.list.length === 2);
    await cluster.restore(backup);
    await cluster.until('the list is known again', async () => watcher.list.join() === (await listed(cluster)).join());
    await cluster.run(watcher.stop());
    await cluster.stop();
  });
});
