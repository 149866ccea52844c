import {
  assertNever,
  type CausewayError,
  type Endpoint,
  type EndpointId,
  type Ip,
  type Mac,
  type Name,
  type Network,
  type NetworkId,
  type Node,
  type NodeId,
  type Vni,
} from '@causeway/model';
import type { Claimed } from './claim.ts';
import type { KnownManager, LedTime, Silence } from './codec.ts';
import { Keys } from './keys.ts';
import { RevisionWaiters } from './revision-waiters.ts';
import { type Change, revisionOf, type StoreEvent, type Write } from './store.ts';
import { Tables, type Told } from './tables.ts';
import type {
  ClaimChange,
  Cluster,
  EventMark,
  LeaderRecord,
  RegisteredManager,
  Versioned,
  ViewChange,
} from './view-change.ts';
import type { ClaimedVni } from './vni-claim.ts';

export type { ClaimChange, Cluster, LeaderRecord, RegisteredManager, Versioned, ViewChange } from './view-change.ts';

type Listener<Event> = (event: Event) => void;

/**
 * All that the store holds, in memory and indexed, at one revision: what every read and every plan looks at.
 * It only ever moves by `apply`, so two views given the same changes are equal.
 */
export class View {
  readonly #keys: Keys;
  #revision = 0n;
  #tables: Tables;
  readonly #waiters = new RevisionWaiters();
  readonly #listeners = new Set<Listener<readonly ViewChange[]>>();
  readonly #claimListeners = new Set<Listener<ClaimChange>>();

  constructor(keys: Keys = new Keys()) {
    this.#keys = keys;
    this.#tables = new Tables(keys);
  }

  /** Of the newest change applied; 0 before the first snapshot. */
  get revision(): bigint {
    return this.#revision;
  }

  get cluster(): Cluster | undefined {
    return this.#tables.cluster;
  }

  get leader(): LeaderRecord | undefined {
    return this.#tables.leader;
  }

  /** Those that run, or did a moment ago. */
  get managers(): ReadonlyMap<Name, RegisteredManager> {
    return this.#tables.managers;
  }

  /** Those that have run since the cluster began, and were not removed. */
  get knownManagers(): ReadonlyMap<Name, Versioned<KnownManager>> {
    return this.#tables.knownManagers;
  }

  get eventMark(): EventMark | undefined {
    return this.#tables.eventMark;
  }

  /** The store was restored, and does not know yet all that hosts hold. */
  get recovering(): boolean {
    return this.#tables.recovering;
  }

  get networks(): ReadonlyMap<NetworkId, Versioned<Network>> {
    return this.#tables.networks.all;
  }

  get nodes(): ReadonlyMap<NodeId, Versioned<Node>> {
    return this.#tables.nodes.all;
  }

  get endpointCount(): number {
    return this.#tables.endpoints.size;
  }

  endpoint(id: EndpointId): Versioned<Endpoint> | undefined {
    return this.#tables.endpoints.get(id);
  }

  endpointsOf(network: NetworkId): ReadonlyMap<EndpointId, Versioned<Endpoint>> {
    return this.#tables.endpoints.of(network);
  }

  /** Ids of the endpoints on a host. */
  endpointsOn(node: NodeId): ReadonlySet<EndpointId> {
    return this.#tables.endpoints.on(node);
  }

  /** Networks of which the host has an endpoint: those its agent is subscribed to. */
  networksOn(node: NodeId): ReadonlySet<NetworkId> {
    return this.#tables.endpoints.networksOn(node);
  }

  networkNamed(name: Name): Versioned<Network> | undefined {
    return this.#tables.networks.named(name);
  }

  nodeNamed(name: Name): Versioned<Node> | undefined {
    return this.#tables.nodes.named(name);
  }

  endpointNamed(network: NetworkId, name: Name): Versioned<Endpoint> | undefined {
    return this.#tables.endpoints.named(network, name);
  }

  /** Who has each address of a network, even of one that is gone. */
  addressesOf(network: NetworkId): ReadonlyMap<Ip, Claimed> {
    return this.#tables.addresses.of(network);
  }

  /** Who has each Ethernet address that does not follow from a claimed IPv4 address. */
  macsOf(network: NetworkId): ReadonlyMap<Mac, Claimed> {
    return this.#tables.macs.of(network);
  }

  /** Freed addresses that an endpoint of that name may have back at once. */
  coolingFor(network: NetworkId, name: Name): ReadonlySet<Ip> {
    return this.#tables.addresses.coolingFor(network, name);
  }

  /** Networks with claims of addresses; one that is gone may have left some. */
  networksWithClaims(): Iterable<NetworkId> {
    return this.#tables.addresses.networks();
  }

  /** Who has each VNI, even after its network was deleted. */
  get vnis(): ReadonlyMap<Vni, ClaimedVni> {
    return this.#tables.vnis;
  }

  /** Hosts with endpoints that leaders, this one or earlier ones, had no session with. */
  get silences(): ReadonlyMap<NodeId, Silence> {
    return this.#tables.silences;
  }

  get ledTime(): LedTime | undefined {
    return this.#tables.ledTime;
  }

  /** Records that could not be read, by key: the view has what it knew before them. */
  get damaged(): ReadonlyMap<string, CausewayError> {
    return this.#tables.damaged;
  }

  /** @throws CausewayError network-unknown */
  findNetwork(nameOrId: string): Versioned<Network> {
    return this.#tables.networks.find(nameOrId);
  }

  /** @throws CausewayError node-unknown */
  findNode(nameOrId: string): Versioned<Node> {
    return this.#tables.nodes.find(nameOrId);
  }

  /**
   * By id, by name, or by NETWORK/NAME.
   * @throws CausewayError endpoint-unknown, name-ambiguous when several networks have the name, network-unknown
   */
  findEndpoint(reference: string): Versioned<Endpoint> {
    const slash = reference.indexOf('/');
    if (slash < 0)
      return this.#tables.endpoints.find(reference, (id) => this.#tables.networks.all.get(id)?.value.name ?? id);
    const network = this.findNetwork(reference.slice(0, slash)).value;
    const found = this.#tables.endpoints.named(network.id, reference.slice(slash + 1) as Name);
    if (found === undefined) throw this.#tables.endpoints.unknown(reference);
    return found;
  }

  /**
   * Listeners run after all of `change` is in the view, claims' first; what one throws is thrown when all have run. Events
   * that the view has already change nothing; only a snapshot may lead back.
   */
  apply(change: Change): void {
    if (change.kind !== 'snapshot' && change.revision <= this.#revision) return;
    const told = this.#take(change);
    this.#revision = change.revision;
    try {
      this.#tell(told);
    } finally {
      this.#waiters.reached(change.revision);
    }
  }

  /**
   * A transaction of our own was committed at that revision: its reply tells all that the watch will. When it is the very
   * next after the view's nothing else can lie between, and the watch need not be waited for. Listeners run as for `apply`.
   */
  wrote(revision: bigint, writes: readonly Write[]): void {
    // Deleting what is not there takes no revision: the reply's is then somebody else's.
    if (revision !== this.#revision + 1n || writes.every(({ kind }) => kind === 'delete')) return;
    this.apply({ kind: 'events', revision, events: writes.map((write) => this.#eventOf(write, revision)) });
  }

  /** Returns the way to stop listening. */
  subscribe(listener: Listener<readonly ViewChange[]>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  subscribeClaims(listener: Listener<ClaimChange>): () => void {
    this.#claimListeners.add(listener);
    return () => this.#claimListeners.delete(listener);
  }

  /** Resolves when the view is at least that new. @throws CausewayError timed-out when the signal aborts first */
  waitFor(revision: bigint, signal?: AbortSignal): Promise<void> {
    return this.#revision >= revision ? Promise.resolve() : this.#waiters.wait(revision, signal);
  }

  #take(change: Change): Told {
    const told: Told = { changes: [], claims: [] };
    switch (change.kind) {
      case 'snapshot': {
        this.#tables = new Tables(this.#keys);
        for (const kv of change.kvs) this.#tables.put(kv, { changes: [], claims: [] });
        return { changes: [{ kind: 'reset', revision: change.revision }], claims: [{ kind: 'reset' }] };
      }
      case 'events':
        for (const event of change.events) {
          if (revisionOf(event) <= this.#revision) continue;
          if (event.kind === 'put') this.#tables.put(event.kv, told);
          else this.#tables.delete(event.key, event.modRevision, told);
        }
        return told;
      case 'progress':
        return told;
      default:
        return assertNever(change);
    }
  }

  #eventOf(write: Write, revision: bigint): StoreEvent {
    if (write.kind === 'delete') return { kind: 'delete', key: write.key, modRevision: revision };
    const { key, value } = write;
    const createRevision = this.#tables.createRevisionOf(key) ?? revision;
    return { kind: 'put', kv: { key, value, createRevision, modRevision: revision } };
  }

  #tell({ claims, changes }: Told): void {
    const failures: unknown[] = [];
    const attempt = (call: () => void): void => {
      try {
        call();
      } catch (failure) {
        failures.push(failure);
      }
    };
    for (const claim of claims) for (const listener of this.#claimListeners) attempt(() => listener(claim));
    if (changes.length > 0) for (const listener of this.#listeners) attempt(() => listener(changes));
    if (failures.length > 0) throw new AggregateError(failures, 'a listener of the view failed');
  }
}
