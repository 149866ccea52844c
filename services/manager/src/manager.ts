import { type FeedVersion, isCausewayError, type NetworkId, type NodeId } from '@causeway/model';
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
import { MtuGate } from './admin/mtu-gate.ts';
import { MtuKeeper } from './admin/mtu-keeper.ts';
import type { DefaultPool } from './admin/pools.ts';
import { NodeRegistrar } from './admin/registrar.ts';
import { Allocator } from './allocator/allocator.ts';
import { type Api, createApi } from './api/index.ts';
import type { Term } from './api/leadership.ts';
import { bootstrapCluster } from './cluster/bootstrap.ts';
import { schema as ownSchema } from './cluster/schema.ts';
import { SchemaKeeper } from './cluster/schema-keeper.ts';
import type { AgentChannel } from './dispatcher/channel.ts';
import { Dispatcher } from './dispatcher/dispatcher.ts';
import type { Standing } from './dispatcher/holdings.ts';
import { leaderChanged } from './events/describe.ts';
import { EventFeed } from './events/feed.ts';
import { tellOfManagers } from './events/managers.ts';
import { EventRecorder } from './events/recorder.ts';
import { EventRetention } from './events/retention.ts';
import { Reclaimer } from './gone/reclaimer.ts';
import { Thawer } from './ipam/thawer.ts';
import { Elector } from './leader/elector.ts';
import type { Leadership } from './leader/leadership.ts';
import { Catalogs } from './lists/catalogs.ts';
import type { Peers } from './membership/peers.ts';
import { Recoverer } from './recovery/recoverer.ts';
import { Follower } from './store/follower.ts';
import { Keys } from './store/keys.ts';
import type { Store } from './store/store.ts';
import { View } from './store/view.ts';
import { Writer } from './writer/writer.ts';

export interface ManagerModules {
  readonly store: Store;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
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
  /** The newest schema of records it knows; absent: this version's. */
  readonly schema?: number;
  /** The feed versions that it speaks to agents, from the oldest; absent: this version's. */
  readonly feeds?: readonly FeedVersion[];
}

export const defaultCooldown = seconds(60);
export const defaultNodeGoneAfter = minutes(24 * 60);
export const defaultEventHistory = minutes(24 * 60);
export const defaultEventLimit = 200_000;

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
  readonly #settings: Pick<ManagerSettings, 'name' | 'advertise'>;
  readonly #keys: Keys;
  readonly #schema: number;
  readonly #catalogs: Catalogs;
  readonly #dispatcher: Dispatcher;
  readonly #writer: Writer;
  readonly #mtuKeeper: MtuKeeper;
  readonly #schemaKeeper: SchemaKeeper;
  readonly #thawer: Thawer;
  readonly #recoverer: Recoverer;
  readonly #reclaimer: Reclaimer;
  readonly #follower: Follower;
  readonly #elector: Elector;
  readonly #feed: EventFeed;
  readonly #recorder: EventRecorder;
  readonly #retention: EventRetention;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<(leads: boolean) => void>();
  /** Of this manager's leadership, from when its view has all that came before. */
  #term: Term | undefined;
  #termEnd = new AbortController();

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
    this.#catalogs = new Catalogs(view);
    const allocator = new Allocator(view);
    this.#writer = new Writer({ ...modules, view, keys, allocator }, { name });
    const writer = this.#writer;
    this.#recorder = new EventRecorder({ ...modules, writer });
    this.#feed = new EventFeed({ ...modules, keys });
    const { eventHistory = defaultEventHistory, eventLimit = defaultEventLimit } = settings;
    this.#retention = new EventRetention({ ...modules, keys, writer }, { history: eventHistory, limit: eventLimit });
    this.#mtuKeeper = new MtuKeeper({ view, writer, clock, log });
    this.#schemaKeeper = new SchemaKeeper({ view, writer, clock, log }, { schema: this.#schema });
    this.#follower = new Follower({ store, view, log }, { prefix });
    const registrar = new NodeRegistrar({ view, writer, mtuKeeper: this.#mtuKeeper });
    const silentSince = (node: NodeId): number | undefined => this.#dispatcher.silentSince(node);
    this.#dispatcher = new Dispatcher(
      { view, registrar, teller: this.#recorder, clock, log },
      { address: advertise, ...(settings.feeds && { feeds: settings.feeds }) },
    );
    const standing = (network: NetworkId): Standing => this.#dispatcher.standingOf(network);
    const subscribeStanding = this.#dispatcher.subscribeStanding.bind(this.#dispatcher);
    const mtuGate = new MtuGate({ view, mtuKeeper: this.#mtuKeeper, standing, subscribeStanding, clock });
    this.#thawer = new Thawer(
      {
        view,
        writer,
        standing,
        silentSince,
        clock,
        log,
      },
      { cooldown: settings.cooldown ?? defaultCooldown },
    );
    this.#reclaimer = new Reclaimer(
      { view, writer, silentSince, clock, log },
      { nodeGoneAfter: settings.nodeGoneAfter ?? defaultNodeGoneAfter },
    );
    this.#dispatcher.subscribeStanding((network) => this.#thawer.moved(network));
    this.#recoverer = new Recoverer(
      {
        view,
        writer,
        hasRecovered: (node) => this.#dispatcher.factsOf(node).recovered,
        teller: this.#recorder,
        clock,
        log,
      },
      { cooldown: settings.cooldown ?? defaultCooldown },
    );
    this.#elector = new Elector(
      { store, view, keys, clock, log },
      { name, address: advertise, ttl: leaseTtl, schema: this.#schema },
    );
    this.api = createApi(
      {
        view,
        catalogs: this.#catalogs,
        pools: (network) => allocator.pools(network),
        store,
        peers: modules.peers,
        clock,
        dispatcher: this.#dispatcher,
        events: this.#feed,
        teller: this.#recorder,
        mtuGate,
        writer: this.#writer,
        term: () => this.#term,
      },
      { name, address: advertise, prefix, schema: this.#schema, defaultPools: settings.defaultPools ?? [] },
    );
  }

  get isLeader(): boolean {
    return this.#term !== undefined;
  }

  /** Called when this manager begins or ceases to lead. Returns the way to stop listening. */
  onLeadership(listener: (leads: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Serves one agent until its connection ends; never rejects. */
  accept(channel: AgentChannel): Promise<void> {
    return this.#dispatcher.accept(channel);
  }

  /**
   * Resolves when it has read the store and takes part in the election; a store that is not there is waited for.
   * @throws CausewayError when the store's own record cannot be read
   */
  async start(): Promise<void> {
    const { view } = this;
    await this.#dispatcher.start();
    view.subscribe((changes) => tellOfManagers(changes, { teller: this.#recorder, store: this.#modules.store }));
    this.#elector.subscribe((leadership) => this.#follow(leadership));
    await this.#bootstrap();
    await this.#follower.start();
    if (this.#abort.signal.aborted) return;
    await this.#schemaKeeper.start();
    await this.#mtuKeeper.start();
    await this.#thawer.start();
    await this.#reclaimer.start();
    await this.#retention.start();
    await this.#elector.start();
  }

  /** Hands leadership over, ends sessions with goodbye, lets writes under way end. */
  async stop(): Promise<void> {
    this.#catalogs.end();
    await this.#elector.stop();
    await this.#schemaKeeper.stop();
    await this.#recorder.stop();
    await this.#retention.stop();
    await this.#mtuKeeper.stop();
    await this.#thawer.stop();
    await this.#recoverer.stop();
    await this.#reclaimer.stop();
    await this.#writer.stop();
    await this.#dispatcher.stop();
    this.#abort.abort();
    await this.#follower.stop();
    await this.#feed.stop();
  }

  /** Which cluster this is; the first manager ever makes it. */
  async #bootstrap(): Promise<void> {
    const { store, random, clock, log } = this.#modules;
    const { signal } = this.#abort;
    for (const pause of delays(startPauses, random)) {
      try {
        const cluster = await bootstrapCluster({ store, random, keys: this.#keys }, { schema: this.#schema });
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

  #follow(leadership: Leadership): void {
    const led = this.isLeader;
    this.#termEnd.abort();
    this.#term = undefined;
    if (leadership.role === 'leader') {
      this.#lead(leadership.term);
    } else {
      this.#writer.follow(leadership.leader?.address);
      this.#retention.follow();
      if (led) this.#dispatcher.standDown('this manager does not lead any more');
    }
    if (led) this.#tell(false);
  }

  /** Sessions and answers begin when the view has all that earlier leaders have written. */
  #lead(revision: bigint): void {
    const end = new AbortController();
    this.#termEnd = end;
    this.#writer.lead(revision);
    const { name, advertise } = this.#settings;
    const begin = (): void => {
      if (end.signal.aborted) return;
      this.#term = { revision, signal: end.signal };
      this.#dispatcher.lead(revision);
      void this.#schemaKeeper.settle();
      void this.#mtuKeeper.settle();
      this.#thawer.lead();
      this.#recoverer.lead();
      this.#reclaimer.lead();
      this.#retention.lead(revision);
      this.#recorder.tell(leaderChanged(name, advertise));
      this.#tell(true);
    };
    this.view.waitFor(revision, end.signal).then(begin, () => undefined);
  }

  #tell(leads: boolean): void {
    for (const listener of this.#listeners) listener(leads);
  }
}

/** Everything a manager is, from given parts. */
export function createManager(modules: ManagerModules, settings: ManagerSettings): Manager {
  return new Manager(modules, settings);
}
