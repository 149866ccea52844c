import { type ClusterId, type FeedVersion, isCausewayError } from '@causeway/model';
import {
  type Clock,
  type Duration,
  delays,
  type Log,
  milliseconds,
  minutes,
  type Random,
  type Startable,
  seconds,
} from '@causeway/runtime';
import { type Api, createApi } from './api/index.ts';
import { MtuGate } from './api/mtu-gate.ts';
import { bootstrapCluster } from './cluster/bootstrap.ts';
import { watchCluster } from './cluster/cluster-watch.ts';
import type { Maintenance } from './cluster/maintenance/maintenance.ts';
import { StoreMonitor } from './cluster/maintenance/store-monitor.ts';
import type { Peers } from './cluster/peers.ts';
import { schema as ownSchema } from './cluster/schema.ts';
import { watchSchema } from './cluster/schema-watch.ts';
import { type TermWriter, Writer } from './commit/writer.ts';
import { createControllers, type HostReports } from './controllers/controllers.ts';
import { NodeRegistrar } from './controllers/node-registrar.ts';
import { StoreMaintenance } from './controllers/store-maintenance.ts';
import type { Controller } from './election/controller.ts';
import { Elector } from './election/elector.ts';
import type { Term } from './election/term.ts';
import { TermRunner } from './election/term-runner.ts';
import { AddressIndex } from './events/address-index.ts';
import { leaderChanged } from './events/describe.ts';
import { EventOutlet } from './events/event-sink.ts';
import { EventFeed } from './events/feed.ts';
import { tellOfManagers } from './events/managers.ts';
import type { AgentChannel } from './feed/channel.ts';
import { Feed } from './feed/feed.ts';
import { stopInTurn } from './in-turn.ts';
import { Allocator } from './ipam/allocator.ts';
import type { DefaultPool } from './ipam/subnet-pools.ts';
import { Catalogs } from './listwatch/object-caches.ts';
import { Follower } from './store/follower.ts';
import { Keys } from './store/keys.ts';
import { RevisionTimes } from './store/revision-times.ts';
import type { Store } from './store/store.ts';
import { View } from './store/view.ts';

export interface ManagerModules {
  readonly store: Store;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Absent: the store needs no care. */
  readonly maintenance?: Maintenance;
}

export interface ManagerSettings {
  readonly name: string;
  /** Host:port at which agents, operators and other managers reach its gRPC service. */
  readonly advertise: string;
  /** Of the leader's lease. */
  readonly leaseTtl: Duration;
  /** Of all keys in the store, "/" at its end. */
  readonly prefix: string;
  /** How long a freed address waits for hosts that cannot be asked whether they know; absent: a minute. */
  readonly cooldown?: Duration;
  /** How long a host may be silent before its endpoints are released; 0: for ever; absent: a day. */
  readonly nodeGoneAfter?: Duration;
  /** How long events are kept; absent: a day. */
  readonly eventHistory?: Duration;
  /** How many events are kept at most; absent: 200,000. */
  readonly eventLimit?: number;
  /** Where subnets nobody names come from; a family without one has 10.0.0.0/8 in /20, or the cluster's ULA in /64. */
  readonly defaultPools?: readonly DefaultPool[];
  /** The cluster that it belongs to; absent: it takes what the store holds. */
  readonly clusterId?: ClusterId;
  /** The newest schema of records it knows; absent: this version's. */
  readonly schema?: number;
  /** The feed versions that it speaks to agents, from the oldest; absent: this version's. */
  readonly feeds?: readonly FeedVersion[];
  /** How much of the store's past is kept; absent or 0: another compacts it. */
  readonly history?: Duration;
}

export const defaultCooldown = seconds(60);
export const defaultNodeGoneAfter = minutes(24 * 60);
export const defaultEventHistory = minutes(24 * 60);
export const defaultEventLimit = 200_000;

/**
 * Of a stop: etcd may need an election of its own (0.5 to 2 s) to take the leader's lease back, which ends by itself in 10 s
 * otherwise. All together they are less than 3 s, so that the process ends within 5 s although nothing answers.
 */
const handOver = milliseconds(1_200);
/** Calls that were sent, and whose answers callers wait for. */
const lastCalls = milliseconds(400);
const lastWords = milliseconds(200);

/** A store that cannot be read at the start is tried again for as long as it takes. */
const startPauses = { first: milliseconds(50), max: milliseconds(2_000), factor: 2 };

/**
 * A manager without its network: all it does is behind `api` and `accept`, so that tests, simulations and the gRPC server
 * use the same door. The caller owns the modules; `stop` closes none of them.
 */
export class Manager implements Startable {
  readonly view: View;
  readonly api: Api;
  readonly #modules: ManagerModules;
  readonly #settings: ManagerSettings;
  readonly #keys: Keys;
  readonly #schema: number;
  readonly #catalogs: Catalogs;
  readonly #feed: Feed;
  readonly #writer: Writer;
  readonly #follower: Follower;
  readonly #elector: Elector;
  readonly #terms: TermRunner;
  readonly #eventFeed: EventFeed;
  readonly #outlet = new EventOutlet();
  readonly #storeMonitor: StoreMonitor | undefined;
  readonly #abort = new AbortController();
  readonly #lost = new AbortController();

  constructor(modules: ManagerModules, settings: ManagerSettings) {
    const { store, clock, log } = modules;
    const { name, advertise, leaseTtl, prefix } = settings;
    this.#modules = modules;
    this.#settings = settings;
    this.#keys = new Keys(prefix);
    this.#schema = settings.schema ?? ownSchema;
    const keys = this.#keys;
    const view = new View(keys);
    this.view = view;
    const revisionTimes = new RevisionTimes(clock);
    view.subscribe((changes) => revisionTimes.follow(changes));
    this.#catalogs = new Catalogs(view);
    const allocator = new Allocator(view);
    this.#writer = new Writer({ ...modules, view, keys, allocator }, { name });
    const writer = this.#writer;
    const teller = this.#outlet;
    this.#eventFeed = new EventFeed({ ...modules, keys });
    this.#follower = new Follower({ store, view, log }, { prefix });
    const term = (): Term | undefined => this.#terms.term;
    const registrar = new NodeRegistrar({ view, writer, term });
    this.#feed = new Feed(
      { view, registrar, teller, clock, log },
      { address: advertise, ...(settings.feeds && { feeds: settings.feeds }) },
    );
    const mtuGate = new MtuGate({ ...this.#hosts, view, clock });
    this.#storeMonitor = this.#monitorStore();
    this.#elector = new Elector(
      { store, view, keys, clock, log },
      { name, address: advertise, ttl: leaseTtl, schema: this.#schema },
    );
    this.#terms = new TermRunner({
      elector: this.#elector,
      view,
      writer,
      controllers: (termWriter) => this.#controllers(termWriter),
      log,
    });
    this.api = createApi(
      {
        view,
        catalogs: this.#catalogs,
        pools: (network) => allocator.pools(network),
        store,
        peers: modules.peers,
        clock,
        feed: this.#feed,
        events: this.#eventFeed,
        addressIndex: new AddressIndex({ store, keys, epoch: () => view.cluster?.epoch }),
        teller,
        mtuGate,
        revisionTimes,
        writer,
        term,
      },
      { name, address: advertise, prefix, schema: this.#schema, defaultPools: settings.defaultPools ?? [] },
    );
  }

  /** Aborts with "cluster-mismatch" when the store turns out to hold another cluster: it must end then, and serve nothing more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get isLeader(): boolean {
    return this.#terms.term !== undefined;
  }

  /** Called when this manager begins or ceases to lead. Returns the way to stop listening. */
  onLeadership(listener: (leads: boolean) => void): () => void {
    return this.#terms.subscribe(listener);
  }

  /** Serves one agent until its connection ends; never rejects. */
  accept(channel: AgentChannel): Promise<void> {
    return this.#feed.accept(channel);
  }

  /**
   * Resolves when it has read the store and takes part in the election; a store that is not there is waited for.
   * @throws CausewayError when the store's own record cannot be read
   */
  async start(): Promise<void> {
    const { view } = this;
    const { name, advertise } = this.#settings;
    await this.#storeMonitor?.start(); // first: a store that is full can be neither founded nor led
    await this.#feed.start();
    view.subscribe((changes) => tellOfManagers(changes, { teller: this.#outlet, store: this.#modules.store }));
    watchSchema(view, this.#modules.log, this.#schema);
    this.#terms.subscribe((leads) => leads && this.#outlet.tell(leaderChanged(name, advertise)));
    this.#terms.start();
    await this.#bootstrap();
    await this.#follower.start();
    if (this.#abort.signal.aborted) return;
    await this.#elector.start();
  }

  /** Hands leadership over, ends sessions with goodbye, lets writes under way end: within 3 s, whatever the store does. */
  async stop(): Promise<void> {
    this.#catalogs.end();
    const step = (name: string, limit: Duration, stop: () => Promise<void> | undefined) => {
      return { name, limit, stop: async () => await stop() };
    };
    await stopInTurn(this.#modules, [
      step('elector', handOver, () => this.#elector.stop()),
      step('terms', lastCalls, () => this.#terms.stop()),
      step('writer', lastCalls, () => this.#writer.stop()),
      step('feed', lastWords, () => this.#feed.stop()),
    ]);
    this.#abort.abort();
    await stopInTurn(this.#modules, [
      step('follower', lastWords, () => this.#follower.stop()),
      step('event-feed', lastWords, () => this.#eventFeed.stop()),
      step('store-monitor', lastWords, () => this.#storeMonitor?.stop()),
    ]);
  }

  /** Which cluster this is; the first manager ever makes it. */
  async #bootstrap(): Promise<void> {
    const { store, random, clock, log } = this.#modules;
    const { signal } = this.#abort;
    for (const pause of delays(startPauses, random)) {
      try {
        const { clusterId } = this.#settings;
        const expected = { schema: this.#schema, ...(clusterId !== undefined && { clusterId }) };
        const cluster = await bootstrapCluster({ store, random, keys: this.#keys }, expected);
        watchCluster(this.view, cluster.clusterId, (error) => this.#lost.abort(error));
        log.info('manager.cluster', { clusterId: cluster.clusterId, epoch: `${cluster.epoch}` });
        return;
      } catch (error) {
        if (!isCausewayError(error) || error.kind !== 'unavailable') throw error;
        log.warn('manager.store-unavailable', { code: error.code, message: error.message });
        await clock.sleep(pause, signal);
        if (signal.aborted) return;
      }
    }
  }

  /** Of one term. */
  #controllers(writer: TermWriter): readonly Controller[] {
    const { cooldown = defaultCooldown, nodeGoneAfter = defaultNodeGoneAfter } = this.#settings;
    const { eventHistory = defaultEventHistory, eventLimit = defaultEventLimit } = this.#settings;
    const controllers = createControllers(
      {
        ...this.#modules,
        view: this.view,
        keys: this.#keys,
        writer,
        outlet: this.#outlet,
        told: () => this.#writer.told,
        hosts: this.#hosts,
        sessions: this.#feed,
      },
      { cooldown, nodeGoneAfter, eventHistory, eventLimit, schema: this.#schema },
    );
    const { maintenance } = this.#modules;
    if (maintenance === undefined || this.#storeMonitor === undefined) return controllers;
    return [...controllers, this.#storeMaintenance(maintenance, this.#storeMonitor)];
  }

  get #hosts(): HostReports {
    return {
      standing: (network) => this.#feed.standingOf(network),
      subscribeStanding: (listener) => this.#feed.subscribeStanding(listener),
      silentSince: (node) => this.#feed.silentSince(node),
      hasRecovered: (node) => this.#feed.factsOf(node).recovered,
    };
  }

  #monitorStore(): StoreMonitor | undefined {
    const { maintenance, clock, log } = this.#modules;
    if (maintenance === undefined) return undefined;
    const care = (watch: StoreMonitor): StoreMaintenance => this.#storeMaintenance(maintenance, watch);
    const { history = milliseconds(0) } = this.#settings;
    return new StoreMonitor({ maintenance, view: this.view, care, clock, log }, { history });
  }

  #storeMaintenance(maintenance: Maintenance, watch: StoreMonitor): StoreMaintenance {
    const { clock, log } = this.#modules;
    const { history = milliseconds(0) } = this.#settings;
    return new StoreMaintenance({ maintenance, watch, view: this.view, clock, log }, { history });
  }
}

/** Everything a manager is, from given parts. */
export function createManager(modules: ManagerModules, settings: ManagerSettings): Manager {
  return new Manager(modules, settings);
}
