import { type CausewayError, isCausewayError } from '@causeway/model';
import type { RefusedCalls } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import {
  type Clock,
  type Duration,
  delays,
  type Log,
  milliseconds,
  type Random,
  type Startable,
} from '@causeway/runtime';
import { type Api, createApi } from './api/index.ts';
import { MtuGate } from './api/mtu-gate.ts';
import type { StoreOperation } from './api/store-operation.ts';
import { bootstrapCluster } from './cluster/bootstrap.ts';
import type { Custody } from './cluster/ca/custody.ts';
import type { ExternalCa } from './cluster/ca/external-ca.ts';
import { ExternalSigner } from './cluster/ca/external-signer.ts';
import { watchCluster } from './cluster/cluster-watch.ts';
import { StoreMonitor } from './cluster/maintenance/store-monitor.ts';
import type { Peers } from './cluster/peers.ts';
import { watchSchema } from './cluster/schema-watch.ts';
import { type TermWriter, Writer } from './commit/writer.ts';
import { createControllers } from './controllers/controllers.ts';
import type { HostReports } from './controllers/host-reports.ts';
import { NodeKeyWriter } from './controllers/node-key-writer.ts';
import { NodeRegistrar } from './controllers/node-registrar.ts';
import { StoreMaintenance } from './controllers/store-maintenance.ts';
import type { Dialer } from './election/dialer.ts';
import { Elector } from './election/elector.ts';
import type { Controller, Term } from './election/term.ts';
import { TermRunner } from './election/term-runner.ts';
import { AddressIndex } from './events/address-index.ts';
import { Audit } from './events/audit.ts';
import { leaderChanged } from './events/describe.ts';
import type { RefusedCall } from './events/event-input.ts';
import { EventRelay } from './events/event-sink.ts';
import { EventFeed } from './events/feed.ts';
import { emitManagerEvents } from './events/managers.ts';
import type { AgentChannel } from './feed/channel.ts';
import { Feed } from './feed/feed.ts';
import { Allocator } from './ipam/allocator.ts';
import { ObjectCaches } from './listwatch/object-caches.ts';
import { type CompleteSettings, type ManagerSettings, withDefaults } from './manager-settings.ts';
import { stopInOrder } from './stop-in-order.ts';
import { Follower } from './store/follower.ts';
import { createKeys, type Keys } from './store/keys.ts';
import { RevisionTimes } from './store/revision-times.ts';
import type { Store } from './store/store.ts';
import { View } from './store/view.ts';

export interface ManagerModules {
  readonly store: Store;
  readonly peers: Peers;
  /** Absent: this manager notices a crashed leader only by the end of the leader's lease. */
  readonly dialer?: Dialer;
  /** What this manager issues certificates with; absent: it issues none. */
  readonly custody?: Custody;
  /** The CA, if its key is not in the cluster; absent: this manager cannot ask such a CA. */
  readonly externalCa?: ExternalCa;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Absent: the store has no servers that need maintenance. */
  readonly operation?: StoreOperation;
}

/**
 * Time limits of the steps of a stop. To revoke the leader's lease, etcd may need an election of its own (0.5 to 2 s). A
 * lease that is not revoked expires after 10 s. All limits together are less than 3 s. So the process ends within 5 s
 * even when nothing answers.
 */
const handOver = milliseconds(1_200);
/** For calls that were sent and whose answers callers wait for. */
const lastCalls = milliseconds(400);
const stopLimit = milliseconds(200);

/** Pauses between attempts to read the store at the start. The manager tries until it succeeds. */
const startPauses = { first: milliseconds(50), max: milliseconds(2_000), factor: 2 };

/**
 * A manager without the network code. Everything goes through `api` and `accept`, so that tests, simulations and the gRPC
 * server use the same entry points. The caller owns the modules; `stop` closes none of them.
 */
export class Manager implements Startable {
  readonly view: View;
  readonly api: Api;
  readonly #modules: ManagerModules;
  readonly #settings: CompleteSettings;
  readonly #keys: Keys;
  readonly #writer: Writer;
  readonly #follower: Follower;
  readonly #elector: Elector;
  readonly #terms: TermRunner;
  readonly #feed: Feed;
  readonly #caches: ObjectCaches;
  readonly #eventFeed: EventFeed;
  readonly #relay = new EventRelay();
  readonly #audit: Audit;
  readonly #storeMonitor: StoreMonitor;
  readonly #abort = new AbortController();
  readonly #lost = new AbortController();

  constructor(modules: ManagerModules, given: ManagerSettings) {
    const settings = withDefaults(given);
    const { name, advertise: address, leaseTtl: ttl, prefix, schema } = settings;
    const keys = createKeys(prefix);
    const view = new View(keys);
    const revisionTimes = new RevisionTimes(modules.clock);
    view.subscribe((changes) => revisionTimes.follow(changes)); // first: other subscribers need the revision's time
    const allocator = new Allocator(view);
    const { externalCa: ca, ...others } = modules;
    const externalCa = ca && new ExternalSigner({ ...modules, ca });
    const parts = { ...others, ...(externalCa && { externalCa }), view, keys, allocator, sink: this.#relay };
    const term = (): Term | undefined => this.#terms.term;

    this.view = view;
    this.#modules = modules;
    this.#settings = settings;
    this.#keys = keys;
    this.#follower = new Follower(parts, { prefix });
    this.#caches = new ObjectCaches(view);
    this.#writer = new Writer(parts, { name });
    this.#elector = new Elector(parts, { name, address, ttl, schema });
    const controllers = (writer: TermWriter): readonly Controller[] => this.#controllers(writer);
    this.#terms = new TermRunner({ ...parts, elector: this.#elector, writer: this.#writer, controllers });
    const registrar = new NodeRegistrar({ view, writer: this.#writer, term });
    this.#feed = new Feed(
      { ...parts, registrar, keys: new NodeKeyWriter({ writer: this.#writer }) },
      {
        address,
        ...(given.feeds && { feeds: given.feeds }),
        ...(given.fanOutPause && { pause: given.fanOutPause }),
      },
    );
    this.#eventFeed = new EventFeed(parts);
    this.#audit = new Audit({ ...parts, report: () => this.#reportRefusals() });
    this.#storeMonitor = this.#monitorStore();
    this.api = createApi(
      {
        ...parts,
        caches: this.#caches,
        subnetsOf: (network) => allocator.subnetsOf(network),
        feed: this.#feed,
        events: this.#eventFeed,
        storeMembers: () => this.#storeMonitor.look(),
        addressIndex: new AddressIndex({ ...parts, epoch: () => view.cluster?.epoch }),
        mtuGate: new MtuGate({ ...parts, hosts: this.#hosts }),
        revisionTimes,
        writer: this.#writer,
        term,
      },
      { ...settings, address },
    );
  }

  /**
   * Aborts with "cluster-mismatch" when the store turns out to hold another cluster. The manager must then end and serve
   * nothing more.
   */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get isLeader(): boolean {
    return this.#terms.term !== undefined;
  }

  /** `listener` is called when this manager begins or ceases to lead. Returns a function that ends the subscription. */
  onLeadership(listener: (leads: boolean) => void): () => void {
    return this.#terms.subscribe(listener);
  }

  /** Takes what was refused to a caller, for the audit. */
  refused(call: RefusedCall, error: CausewayError): void {
    this.#audit.refused(call, error);
  }

  /** Serves one agent until its connection ends; never rejects. */
  accept(channel: AgentChannel): Promise<void> {
    return this.#feed.accept(channel);
  }

  /**
   * Resolves when the manager has read the store and takes part in the election. Waits while the store is unavailable.
   * @throws CausewayError when the store's own record cannot be read
   */
  async start(): Promise<void> {
    // First: in a store that is full, no cluster can be founded and no manager can become leader.
    if (this.#modules.operation !== undefined) await this.#storeMonitor.start();
    this.#modules.custody?.follow(this.view);
    await this.#feed.start();
    await this.#audit.start();
    this.#observe();
    this.#terms.start();
    await this.#bootstrap();
    await this.#follower.start();
    await this.#elector.start(); // does nothing if the manager was stopped meanwhile
  }

  /**
   * Hands over leadership, ends sessions with goodbye, and lets writes under way end. Takes at most 3 s, whatever the
   * store does.
   */
  async stop(): Promise<void> {
    this.#caches.end();
    const step = (name: string, limit: Duration, stop: () => Promise<void> | undefined) => {
      return { name, limit, stop: async () => await stop() };
    };
    await stopInOrder(this.#modules, [
      step('elector', handOver, () => this.#elector.stop()),
      step('terms', lastCalls, () => this.#terms.stop()),
      step('writer', lastCalls, () => this.#writer.stop()),
      step('feed', stopLimit, () => this.#feed.stop()),
    ]);
    this.#abort.abort();
    await stopInOrder(this.#modules, [
      step('follower', stopLimit, () => this.#follower.stop()),
      step('audit', stopLimit, () => this.#audit.stop()),
      step('event-feed', stopLimit, () => this.#eventFeed.stop()),
      step('store-monitor', stopLimit, () => this.#storeMonitor.stop()),
    ]);
  }

  /** Logs and emits changes by others: managers that come and go, the schema, the leader. */
  #observe(): void {
    const { view } = this;
    const { name, advertise, schema } = this.#settings;
    const { store, log } = this.#modules;
    view.subscribe((changes) => emitManagerEvents(changes, { sink: this.#relay, store }));
    watchSchema(view, log, schema);
    this.#terms.subscribe((leads) => leads && this.#relay.emit(leaderChanged(name, advertise)));
  }

  /** Finds out which cluster this is. The first manager of all creates the cluster. */
  async #bootstrap(): Promise<void> {
    const { random, clock, log } = this.#modules;
    const { signal } = this.#abort;
    for (const pause of delays(startPauses, random)) {
      try {
        const cluster = await bootstrapCluster({ ...this.#modules, keys: this.#keys }, this.#settings);
        watchCluster(this.view, cluster.clusterId, (error) => this.#lost.abort(error));
        log.info('manager.cluster-known', { clusterId: cluster.clusterId, epoch: `${cluster.epoch}` });
        return;
      } catch (error) {
        if (!isCausewayError(error) || error.kind !== 'unavailable') throw error;
        log.warn('manager.store-unavailable', { code: error.code, message: error.message });
        await clock.sleep(pause, signal);
        if (signal.aborted) return;
      }
    }
  }

  /** The controllers of one term. */
  #controllers(writer: TermWriter): readonly Controller[] {
    const parts = { ...this.#modules, view: this.view, keys: this.#keys, relay: this.#relay };
    const controllers = createControllers(
      { ...parts, writer, hosts: this.#hosts, sessions: this.#feed },
      this.#settings,
    );
    const { operation } = this.#modules;
    return operation === undefined ? controllers : [...controllers, this.#storeMaintenance(operation)];
  }

  /** How refusals reach the leader; undefined: this manager leads, or knows of no other leader. */
  #reportRefusals() {
    const { leader } = this.view;
    if (this.isLeader || leader === undefined || leader.address === this.#settings.advertise) return undefined;
    const { peers } = this.#modules;
    return (refusals: readonly RefusedCalls[], signal: AbortSignal): Promise<void> =>
      peers.reportRefusals(leader.address, { refusals: [...refusals] }, signal);
  }

  get #hosts(): HostReports {
    return {
      progress: (network) => this.#feed.progress.of(network),
      subscribeProgress: (listener) => this.#feed.progress.subscribe(listener),
      silentSince: (node) => this.#feed.progress.silentSince(node),
      hasRecovered: (node) => this.#feed.factsOf(node).recovered,
      rekey: (node, after) => this.#feed.rekey(node, after),
      usersOfKeys: (node, upTo) => this.#feed.usersOfKeys(node, upTo),
      stepFacts: (network) => this.#feed.stepFacts(network),
    };
  }

  #monitorStore(): StoreMonitor {
    const { operation } = this.#modules;
    const maintenance = operation && ((): StoreMaintenance => this.#storeMaintenance(operation));
    const parts = { ...this.#modules, view: this.view, found: operation?.found };
    return new StoreMonitor({ ...parts, ...(maintenance !== undefined && { maintenance }) }, this.#settings);
  }

  #storeMaintenance({ maintenance }: StoreOperation): StoreMaintenance {
    const parts = { ...this.#modules, maintenance, monitor: this.#storeMonitor, view: this.view };
    return new StoreMaintenance(parts, this.#settings);
  }
}

export function createManager(modules: ManagerModules, settings: ManagerSettings): Manager {
  return new Manager(modules, settings);
}
