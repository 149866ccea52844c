import type { Op } from '@causeway/datapath';
import { tunnelsOf } from '@causeway/datapath/testing';
import { Ip, isCausewayError, type Mac } from '@causeway/model';
import { DeleteNetworkRequest, UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { SimCluster } from './cluster.ts';
import { stateFaults } from './expected-state.ts';
import type { SimHost } from './host.ts';
import { Promises } from './promises.ts';
import { Records } from './records.ts';

/**
 * A cluster whose networks and endpoints are made, changed and deleted while hosts and managers die, connections break or
 * stall, hosts change their addresses, kernels refuse ops and other programs change kernels. The seed determines everything.
 */
export class PromiseStory {
  /** How often each kind of accident happened. */
  readonly reach = {
    moved: 0,
    drifted: 0,
    refused: 0,
    stalled: 0,
    deleted: 0,
    resized: 0,
    wiped: 0,
    killed: 0,
    cut: 0,
  };
  readonly #random: SeededRandom;
  readonly #cluster: SimCluster;
  readonly #records = new Records();
  readonly #promises: Promises;
  readonly #over = new AbortController();
  readonly #networks: string[] = [];
  readonly #attached = new Map<string, { readonly host: string; readonly network: string }>();
  readonly #down = new Set<string>();
  readonly #cut = new Set<string>();
  readonly #stalled = new Set<string>();
  readonly #gone = new Set<string>();
  #names = 0;
  #places = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#cluster = new SimCluster({ hosts: 4, managers: 2, seed });
    this.#promises = new Promises(this.#cluster, this.#records);
  }

  async begin(): Promise<void> {
    void this.#records.run(this.#cluster.observer(), this.#over.signal);
    await this.#cluster.start();
    await this.#create();
    await this.#create();
    for (const host of this.#cluster.hosts) await this.#attach(host, this.#networks[0] ?? '');
  }

  async step(): Promise<void> {
    await this.#pick(this.#actions)?.();
  }

  /** The faults found so far, one per line. */
  get faults(): readonly string[] {
    return this.#promises.faults;
  }

  get seen(): Promises['seen'] {
    return this.#promises.seen;
  }

  /** Ends all faults. Returns, one per line, what still differs and what was never checked. */
  async end(): Promise<readonly string[]> {
    const cluster = this.#cluster;
    for (const { kernel } of cluster.hosts) kernel.failNoMore();
    for (const name of this.#stalled) cluster.connections.flow(name);
    for (const name of this.#cut) cluster.connections.heal(name);
    for (const name of this.#gone) await cluster.startManager(name);
    for (const name of this.#down) await cluster.run(cluster.host(name).start());
    await cluster.until('all hosts are back', async () => (await cluster.readyHosts()) === cluster.hosts.length);
    await cluster.advance(seconds(60));
    this.#over.abort();
    const unseen = this.#promises.pending;
    const left = unseen === 0 ? [] : [`${unseen} messages are of revisions that the store never had`];
    return [...stateFaults(this.#records.now, cluster.hosts), ...left];
  }

  readonly #actions: readonly (() => Promise<void> | void)[] = [
    ...Array<() => Promise<void>>(7).fill(async () => {
      const [host, network] = [this.#pick(this.#up()), this.#pick(this.#networks)];
      if (host !== undefined && network !== undefined) await this.#attach(host, network);
    }),
    ...Array<() => Promise<void>>(3).fill(async () => {
      const [name, { host = '' } = {}] = this.#pick([...this.#attached]) ?? [];
      if (name === undefined || this.#down.has(host)) return;
      if (await this.#try(this.#cluster.host(host).detach(name))) this.#attached.delete(name);
    }),
    ...Array<() => Promise<void>>(2).fill(() => this.#resize()),
    async () => {
      if (this.#networks.length < 3) await this.#create();
      else await this.#delete(this.#pick(this.#networks) ?? '');
    },
    ...Array<() => Promise<void>>(2).fill(() => this.#move()),
    ...Array<() => Promise<void>>(3).fill(() => this.#causeDrift()),
    ...Array<() => void>(2).fill(() => {
      const kinds = ['fdb.set', 'neighbour.set', 'fdb.delete', 'neighbour.delete', 'address.add'] as const;
      const kind = this.#pick(kinds) ?? 'fdb.set';
      this.#pick(this.#cluster.hosts)?.kernel.failNext(kind, 'ENOBUFS', 3 + this.#number(12));
      this.reach.refused++;
    }),
    () => {
      const host = this.#pick(this.#cluster.hosts);
      if (host === undefined || this.#stalled.size > 1) return;
      this.#cluster.connections.stall(host.name);
      this.#stalled.add(host.name);
      this.reach.stalled++;
    },
    () => {
      for (const name of this.#stalled) this.#cluster.connections.flow(name);
      this.#stalled.clear();
    },
    async () => {
      const host = this.#pick(this.#up());
      if (host === undefined || this.#up().length < 3) return;
      host.kill();
      this.#down.add(host.name);
      this.reach.killed++;
      // Some hosts also lose their tables on disk: the next session must send them.
      if (this.#number(2) === 0) return;
      for (const name of host.files.contents.keys()) if (name.startsWith('network-')) host.files.contents.delete(name);
      this.reach.wiped++;
    },
    ...Array<() => Promise<void>>(2).fill(async () => {
      const name = this.#pick([...this.#down]);
      if (name === undefined) return;
      await this.#cluster.run(this.#cluster.host(name).start());
      this.#down.delete(name);
    }),
    () => {
      const host = this.#pick(this.#cluster.hosts);
      if (host === undefined || this.#cut.size > 0) return;
      this.#cluster.connections.cut(host.name);
      this.#cut.add(host.name);
      this.reach.cut++;
    },
    () => {
      for (const name of this.#cut) this.#cluster.connections.heal(name);
      this.#cut.clear();
    },
    async () => {
      const [name] = this.#gone;
      if (name !== undefined) {
        await this.#cluster.startManager(name);
        this.#gone.delete(name);
        return;
      }
      const [leader] = this.#cluster.leaders;
      if (leader === undefined) return;
      this.#cluster.killManager(leader);
      this.#gone.add(leader);
    },
    ...Array<() => Promise<void>>(3).fill(() => this.#cluster.advance(milliseconds(this.#number(3_000)))),
  ];

  async #create(): Promise<void> {
    const n = this.#names++;
    const name = `n${n}`;
    if (await this.#try(this.#cluster.createNetwork(name, `10.${n + 1}.0.0/24`, `fd00:${n + 1}::/64`))) {
      this.#networks.push(name);
    }
  }

  async #delete(network: string): Promise<void> {
    const request = DeleteNetworkRequest.create({ requestId: this.#id(), network, force: true });
    if (!(await this.#try(this.#cluster.query((api, call) => api.network.deleteNetwork(request, call))))) return;
    this.#networks.splice(this.#networks.indexOf(network), 1);
    for (const [name, of] of this.#attached) if (of.network === network) this.#attached.delete(name);
    this.reach.deleted++;
  }

  /** Changes the MTU or adds a subnet: neither is in any row. */
  async #resize(): Promise<void> {
    const network = this.#pick(this.#networks) ?? '';
    const change =
      this.#number(3) > 0
        ? { mtu: 1300 + this.#number(150) }
        : { addSubnets: [Subnet.create({ prefix: `10.${100 + this.#names++}.0.0/24` })] };
    const request = UpdateNetworkRequest.create({ requestId: this.#id(), network, ...change });
    if (await this.#try(this.#cluster.query((api, call) => api.network.updateNetwork(request, call))))
      this.reach.resized++;
  }

  async #attach(host: SimHost, network: string): Promise<void> {
    const name = `e${this.#names++}`;
    if (await this.#try(host.attach(network, name))) this.#attached.set(name, { host: host.name, network });
  }

  /** The host comes back with another address: every other host must follow. */
  async #move(): Promise<void> {
    const host = this.#pick(this.#up());
    if (host === undefined) return;
    host.kill();
    host.move(Ip(`10.91.0.${++this.#places}`));
    await this.#cluster.run(host.start());
    this.reach.moved++;
  }

  /** Another program deletes an entry from a kernel. */
  async #causeDrift(): Promise<void> {
    const host = this.#pick(this.#up());
    for (const [netns, { links }] of host?.kernel.namespaces ?? []) {
      const tunnel = links.get('vxlan0');
      const [mac, targets] = this.#pick(tunnel === undefined ? [] : [...tunnelsOf(tunnel)]) ?? [];
      const [target] = targets ?? [];
      if (!netns.includes('/cw-') || mac === undefined || target === undefined) continue;
      const op: Op = { op: 'fdb.delete', netns, dev: 'vxlan0', mac: mac as Mac, target };
      host?.kernel.foreign(op);
      this.#promises.take(host?.name ?? '', `fdb ${mac} ${target}`);
      this.reach.drifted++;
      break;
    }
    await this.#cluster.advance(seconds(2));
  }

  /** False: the call was refused, or its outcome is not known. */
  async #try(work: Promise<unknown>): Promise<boolean> {
    try {
      await this.#cluster.run(work);
      return true;
    } catch (error) {
      if (!isCausewayError(error)) throw error;
      return false;
    }
  }

  #up(): readonly SimHost[] {
    return this.#cluster.hosts.filter(({ name }) => !this.#down.has(name));
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#number(items.length)];
  }

  #number(below: number): number {
    return Math.floor(this.#random.float() * below);
  }

  #id(): string {
    return randomUuid(this.#random);
  }
}
