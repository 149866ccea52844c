import {
  beginEpoch,
  type CallContext,
  createKeys,
  createManager,
  defaultPrefix,
  type HistorySnapshot,
  type Manager,
  type ManagerSettings,
  MemoryBackend,
  MemoryStore,
} from '@causeway/manager';
import { callContext, currentSchema, MemoryPeers, MemoryPorts, peerOf, Registration } from '@causeway/manager/testing';
import { CausewayError, type FeedVersion, feedVersions, isCausewayError } from '@causeway/model';
import { Failover } from '@causeway/proto';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { Connections } from './connections.ts';
import { ElectionStore } from './election-store.ts';
import { SimHost } from './host.ts';
import { SimProcess } from './sim-process.ts';

export interface SimSettings {
  readonly hosts: number;
  readonly managers?: number;
  readonly seed?: number;
  /** As `causeway-manager --node-gone-after`. */
  readonly nodeGoneAfter?: Duration;
  /** Pause after a network's changes went to its hosts, as if it had very many; absent: by the number of hosts. */
  readonly fanOutPause?: Duration;
  /** MTU of every host's underlay, bytes, or one MTU per host. */
  readonly mtu?: number | readonly number[];
  /** How often hosts make new keys for encrypted networks; absent: as by default. */
  readonly rekeyPeriod?: Duration;
  /** Initial content of the store; absent: an empty store. */
  readonly store?: HistorySnapshot;
  /** Feed versions that managers speak by default; absent: those of this version. */
  readonly feeds?: readonly FeedVersion[];
  /** Called when a manager stands for election. Returns how long its watch of the store is then interrupted. */
  readonly electionGap?: () => Duration;
}

export type Question<Value> = (api: Manager['api'], call: CallContext) => Promise<Value>;

interface SimManager {
  readonly name: string;
  readonly manager: Manager;
  readonly registration: Registration;
  readonly store: MemoryStore;
  readonly process: SimProcess;
}

export const leaseTtl = seconds(3);

/**
 * The managers and hosts of a cluster in this process: the production code with one store, fake kernels and a fake
 * clock.
 */
export class SimCluster {
  readonly clock = new FakeClock();
  readonly log = new MemoryLog();
  readonly random: SeededRandom;
  readonly connections: Connections;
  /** Through which managers see each other's processes. A port can be closed while its manager is alive. */
  readonly ports: MemoryPorts;
  readonly hosts: readonly SimHost[];
  #backend: MemoryBackend;
  readonly #feeds: readonly FeedVersion[];
  #epoch = 1n;
  readonly #managers = new Map<string, SimManager>();
  readonly #addresses: readonly string[];
  readonly #failover: Failover;
  readonly #streams: Failover;
  readonly #managerSettings: Pick<ManagerSettings, 'nodeGoneAfter' | 'fanOutPause'>;
  readonly #electionGap: () => Duration;

  constructor(settings: SimSettings) {
    this.random = new SeededRandom(settings.seed ?? 1);
    const { nodeGoneAfter, fanOutPause } = settings;
    this.#managerSettings = {
      ...(nodeGoneAfter !== undefined && { nodeGoneAfter }),
      ...(fanOutPause !== undefined && { fanOutPause: () => fanOutPause }),
    };
    this.#electionGap = settings.electionGap ?? (() => milliseconds(0));
    const { clock, random } = this;
    this.connections = new Connections({ clock, random });
    this.ports = new MemoryPorts({ clock });
    this.#backend = new MemoryBackend({ clock }, settings.store);
    this.#feeds = settings.feeds ?? feedVersions;
    this.#addresses = Array.from({ length: settings.managers ?? 1 }, (_, i) => `m${i + 1}:7443`);
    this.#failover = new Failover(this.#addresses, clock);
    this.#streams = new Failover(this.#addresses, clock);
    this.hosts = Array.from({ length: settings.hosts }, (_, i) => {
      const { rekeyPeriod } = settings;
      return new SimHost(
        { ...this, managers: this.#addresses },
        { number: i + 1, mtu: mtuOf(settings, i), rekeyPeriod },
      );
    });
  }

  /** Resolves when each of these hosts has a session and is up to date. The other hosts are not started. */
  async start(hosts: readonly SimHost[] = this.hosts): Promise<void> {
    for (const address of this.#addresses) await this.startManager(address.replace(':7443', ''));
    for (const host of hosts) await this.run(host.start());
    await this.until('every host is ready', async () => (await this.readyHosts()) === hosts.length);
  }

  /** `schema`: the newest schema of records that it knows. `feeds`: its feed versions. Defaults: those of this version. */
  async startManager(name: string, schema = currentSchema, feeds = this.#feeds): Promise<void> {
    const address = `${name}:7443`;
    const simProcess = new SimProcess();
    const store = new ElectionStore(
      { clock: this.clock, backend: this.#backend },
      { leaseTtl, gap: this.#electionGap },
    );
    const random = new SeededRandom(Math.floor(this.random.float() * 2 ** 32));
    const log = this.log.child({ process: name });
    const instance = `${name} since ${this.clock.now()}`;
    const peers = new MemoryPeers((at) => {
      const found = this.#managers.get(at.replace(':7443', ''));
      return found && peerOf(found.manager.api, name);
    });
    const manager = createManager(
      {
        store: simProcess.whileAlive(store),
        peers,
        dialer: simProcess.whileAlive(this.ports),
        clock: simProcess.whileAlive(this.clock),
        random,
        log,
      },
      { name, instance, advertise: address, leaseTtl, prefix: defaultPrefix, schema, feeds, ...this.#managerSettings },
    );
    const registration = new Registration(
      {
        store: simProcess.whileAlive(store),
        keys: createKeys(defaultPrefix),
        peers,
        clock: simProcess.whileAlive(this.clock),
        log,
      },
      { name, address, version: '0.0.0', etcdMember: '', schema, instance },
    );
    this.#managers.set(name, { name, manager, registration, store, process: simProcess });
    this.ports.listen(address, () => manager.isLeader);
    await this.run(registration.start());
    await this.run(manager.start());
    this.connections.listen(address, manager);
  }

  /** Like `kill -9`. */
  killManager(name: string): void {
    this.connections.close(`${name}:7443`);
    this.ports.close(`${name}:7443`);
    this.#managers.get(name)?.process.kill();
    this.#managers.delete(name);
  }

  /** Stops the agents, then the managers, like SIGTERM. */
  async stop(): Promise<void> {
    for (const host of this.hosts) await this.run(host.stop());
    for (const name of [...this.#managers.keys()]) await this.stopManager(name);
    this.#backend.close();
  }

  /** Like SIGTERM. */
  async stopManager(name: string): Promise<void> {
    const running = this.#managers.get(name);
    this.#managers.delete(name);
    if (running !== undefined) {
      await this.run(running.manager.stop());
      await this.run(running.registration.stop());
    }
    this.connections.close(`${name}:7443`);
    this.ports.close(`${name}:7443`);
  }

  /** A snapshot of the store as it is now. */
  backup(): HistorySnapshot {
    return this.#backend.history.snapshot();
  }

  /** Kills all managers, and starts them again on the store from the backup. */
  async restore(backup: HistorySnapshot): Promise<void> {
    const names = [...this.#managers.keys()];
    for (const name of names) this.killManager(name);
    this.#backend.close();
    this.#backend = new MemoryBackend(this, backup);
    const store = new MemoryStore({ clock: this.clock, backend: this.#backend });
    await this.run(beginEpoch({ store, keys: createKeys(defaultPrefix) }, ++this.#epoch));
    for (const name of names) await this.startManager(name);
  }

  /** A client of the store without faults: it sees every revision. */
  observer(): MemoryStore {
    return new MemoryStore({ clock: this.clock, backend: this.#backend });
  }

  store(name: string): MemoryStore {
    const running = this.#managers.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    return running.store;
  }

  manager(name: string): Manager {
    const running = this.#managers.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    return running.manager;
  }

  get leaders(): readonly string[] {
    return [...this.#managers.values()].filter(({ manager }) => manager.isLeader).map(({ name }) => name);
  }

  host(name: string): SimHost {
    const found = this.hosts.find((host) => host.name === name);
    if (found === undefined) throw new Error(`there is no host ${name}`);
    return found;
  }

  /** Asks the leader, whichever manager it is, and advances time until it answers. */
  ask<Value>(question: Question<Value>): Promise<Value> {
    return this.run(this.query(question));
  }

  /** The same, for a caller that advances time itself. */
  query<Value>(question: Question<Value>): Promise<Value> {
    const signal = new AbortController().signal;
    return this.#failover.run(seconds(20), async (address, remaining, isRetry) => {
      const running = this.#managers.get(address.replace(':7443', ''));
      if (running === undefined) throw unreachable(address);
      return await question(running.manager.api, callContext({ remaining, actor: 'operator', signal, isRetry }));
    });
  }

  /** A stream from one manager. It breaks when the manager dies; the next stream then goes to the next manager. */
  async *stream<Item>(
    open: (api: Manager['api'], call: CallContext) => AsyncIterable<Item>,
    signal: AbortSignal,
  ): AsyncGenerator<Item> {
    const address = this.#streams.current;
    const running = this.#managers.get(address.replace(':7443', ''));
    const dead = new AbortController();
    const died = new Promise<never>((_, reject) => running?.process.onKill(() => reject(unreachable(address))));
    died.catch(() => dead.abort());
    try {
      if (running === undefined) throw unreachable(address);
      const call = callContext({ actor: 'operator', signal: AbortSignal.any([signal, dead.signal]) });
      const items = open(running.manager.api, call)[Symbol.asyncIterator]();
      for (;;) {
        const next = await Promise.race([items.next(), died]);
        if (next.done === true) return;
        yield next.value;
      }
    } catch (error) {
      this.#streams.moveOn(address, error);
      throw error;
    }
  }

  async createNetwork(name: string, ...prefixes: string[]): Promise<string> {
    const requestId = randomUuid(this.random);
    const subnets = prefixes.map((prefix) => Subnet.create({ prefix }));
    const request = CreateNetworkRequest.create({ requestId, name, subnets });
    const { network } = await this.ask((api, call) => api.network.createNetwork(request, call));
    return network?.id ?? '';
  }

  async readyHosts(): Promise<number> {
    const { nodes } = await this.ask((api, call) => api.node.listNodes(ListNodesRequest.create(), call));
    return nodes.filter((node) => node.ready).length;
  }

  /** Names of the hosts that have a session with the leader right now. */
  async reachableNow(): Promise<readonly string[]> {
    const leader = [...this.#managers.values()].find(({ manager }) => manager.isLeader);
    if (leader === undefined) return [];
    const call = callContext({ remaining: seconds(1), actor: 'operator' });
    const { nodes } = await leader.manager.api.node.listNodes(ListNodesRequest.create(), call);
    return nodes.filter((node) => node.ready).map((node) => node.name);
  }

  /** Advances time until the promise is settled. Returns its outcome. */
  run<Value>(promise: Promise<Value>): Promise<Value> {
    return this.clock.until(promise, seconds(120));
  }

  advance(span: Duration): Promise<void> {
    return this.clock.advance(span);
  }

  /** Advances time until the condition holds; at most a minute. */
  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    const deadline = this.clock.now() + seconds(60);
    while (!(await settled(holds))) {
      if (this.clock.now() > deadline) throw new Error(`after a minute still not: ${what}`);
      await this.clock.advance(milliseconds(50));
    }
  }
}

/** If the question cannot be answered now, the condition does not hold yet. */
async function settled(holds: () => Promise<boolean> | boolean): Promise<boolean> {
  try {
    return await holds();
  } catch (error) {
    if (isCausewayError(error) && error.kind === 'unavailable') return false;
    throw error;
  }
}

function mtuOf({ mtu = 1500 }: SimSettings, host: number): number {
  return typeof mtu === 'number' ? mtu : (mtu[host] ?? 1500);
}

function unreachable(address: string): CausewayError {
  return new CausewayError('manager-unavailable', `${address} does not answer`);
}
