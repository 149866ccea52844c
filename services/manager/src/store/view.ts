import type { Removals } from '@causeway/identity';
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
import { createKeys, type Keys } from './keys.ts';
import type { Ca } from './records/ca.ts';
import type { Claimed } from './records/claim.ts';
import type { Cluster, EventMark, LeaderRecord } from './records/cluster.ts';
import type { ClaimChange, IndexOf, KeptName, ViewChange } from './records/index.ts';
import type { Versioned } from './records/kind.ts';
import type { KnownManager, RegisteredManager } from './records/manager.ts';
import type { Underlay } from './records/node-index.ts';
import type { OfNetwork, PerNetworkIndex } from './records/per-network-index.ts';
import type { LedTime, Silence } from './records/silence.ts';
import type { ClaimedVni } from './records/vni-claim.ts';
import { RevisionWaiters } from './revision-waiters.ts';
import { type Change, revisionOf, type Write } from './store.ts';
import { type Effects, Tables } from './tables.ts';

export type { Cluster, LeaderRecord } from './records/cluster.ts';
export type { ClaimChange, ViewChange } from './records/index.ts';
export type { Versioned } from './records/kind.ts';
export type { RegisteredManager } from './records/manager.ts';

type Listener<Event> = (event: Event) => void;

/**
 * All that the store holds, in memory and indexed, at one revision. Every read and every plan uses the view.
 * Only `apply` and `wrote` change it, so two views given the same changes are equal.
 */
export class View {
  readonly #keys: Keys;
  #revision = 0n;
  #tables: Tables;
  readonly #waiters = new RevisionWaiters();
  readonly #listeners = new Set<Listener<readonly ViewChange[]>>();
  readonly #claimListeners = new Set<Listener<ClaimChange>>();

  constructor(keys: Keys = createKeys()) {
    this.#keys = keys;
    this.#tables = new Tables(keys);
  }

  /** Revision of the newest change applied; 0 before the first snapshot. */
  get revision(): bigint {
    return this.#revision;
  }

  /** All records of one kind. The methods below answer the most frequent questions. */
  records<Name extends KeptName>(name: Name): IndexOf<Name> {
    return this.#tables.of(name);
  }

  get cluster(): Cluster | undefined {
    return this.records('meta').get();
  }

  get leader(): LeaderRecord | undefined {
    return this.records('leader').get();
  }

  /** Managers whose registration exists. A registration ends 15 s after its manager dies. */
  get managers(): ReadonlyMap<Name, RegisteredManager> {
    return this.records('manager').all;
  }

  /** Managers that have run since the cluster began, and were not removed. */
  get knownManagers(): ReadonlyMap<Name, Versioned<KnownManager>> {
    return this.records('knownManager').all;
  }

  /** Absent: the cluster was founded without one. */
  get ca(): Versioned<Ca> | undefined {
    return this.records('ca').get();
  }

  /** Members whose certificates are refused. */
  get removals(): Removals {
    return this.records('removed').removals;
  }

  get eventMark(): EventMark | undefined {
    return this.records('eventMark').get();
  }

  /** The store was restored from a backup, and does not contain yet everything that hosts hold. */
  get recovering(): boolean {
    return this.records('recovery').get() ?? false;
  }

  get networks(): ReadonlyMap<NetworkId, Versioned<Network>> {
    return this.records('network').all;
  }

  get nodes(): ReadonlyMap<NodeId, Versioned<Node>> {
    return this.records('node').all;
  }

  /** Hosts with this data path address. */
  nodesAt(dataPath: Ip): readonly Node[] {
    return this.records('node').at(dataPath);
  }

  /** One underlay of each kind that hosts have. */
  underlays(): readonly Underlay[] {
    return this.records('node').underlays();
  }

  get endpointCount(): number {
    return this.records('endpoint').all.size;
  }

  endpoint(id: EndpointId): Versioned<Endpoint> | undefined {
    return this.records('endpoint').get({ id });
  }

  endpointsOf(network: NetworkId): ReadonlyMap<EndpointId, Versioned<Endpoint>> {
    return this.records('endpoint').of(network);
  }

  /** Ids of the endpoints on a host. */
  endpointsOn(node: NodeId): ReadonlySet<EndpointId> {
    return this.records('endpoint').on(node);
  }

  /** Networks in which the host has an endpoint. Its agent is subscribed to these. */
  networksOn(node: NodeId): ReadonlySet<NetworkId> {
    return this.records('endpoint').networksOn(node);
  }

  networkNamed(name: Name): Versioned<Network> | undefined {
    return this.records('network').named(name);
  }

  nodeNamed(name: Name): Versioned<Node> | undefined {
    return this.records('node').named(name);
  }

  endpointNamed(network: NetworkId, name: Name): Versioned<Endpoint> | undefined {
    return this.records('endpoint').named(network, name);
  }

  /** Holder of each address of a network, also of a deleted network. */
  addressesOf(network: NetworkId): ReadonlyMap<Ip, Claimed> {
    return this.records('address').of(network);
  }

  /** Holder of each MAC address that does not follow from a claimed IPv4 address. */
  macsOf(network: NetworkId): ReadonlyMap<Mac, Claimed> {
    return this.records('mac').of(network);
  }

  /** Freed addresses that an endpoint of that name may get again at once. */
  coolingFor(network: NetworkId, name: Name): ReadonlySet<Ip> {
    return this.records('address').coolingFor(network, name);
  }

  /** Networks with claims of addresses. A deleted network may have left some. */
  networksWithClaims(): Iterable<NetworkId> {
    return this.records('address').networks();
  }

  /** Holder of each VNI, also after its network was deleted. */
  get vnis(): ReadonlyMap<Vni, ClaimedVni> {
    return this.records('vni').all;
  }

  /** Hosts that have endpoints but no session, as this leader or an earlier one has recorded them. */
  get silences(): ReadonlyMap<NodeId, Silence> {
    return this.records('nodeSilent').all;
  }

  get ledTime(): LedTime | undefined {
    return this.records('ledTime').get();
  }

  /** Records that could not be read, by key. The view keeps the last readable value. */
  get damaged(): ReadonlyMap<string, CausewayError> {
    return this.#tables.damaged;
  }

  /** @throws CausewayError network-unknown */
  findNetwork(nameOrId: string): Versioned<Network> {
    return this.records('network').find(nameOrId);
  }

  /** @throws CausewayError node-unknown */
  findNode(nameOrId: string): Versioned<Node> {
    return this.records('node').find(nameOrId);
  }

  /**
   * Finds an endpoint by id, by name, or by NETWORK/NAME.
   * @throws CausewayError endpoint-unknown, name-ambiguous when several networks have the name, network-unknown
   */
  findEndpoint(reference: string): Versioned<Endpoint> {
    return this.findInNetwork(this.records('endpoint'), reference);
  }

  /** The same for any kind of record that belongs to a network. */
  findInNetwork<Id extends string, Value extends OfNetwork<Id>>(
    index: PerNetworkIndex<Id, Value>,
    reference: string,
  ): Versioned<Value> {
    const slash = reference.indexOf('/');
    if (slash < 0) return index.find(reference, (id) => this.networks.get(id)?.value.name ?? id);
    const network = this.findNetwork(reference.slice(0, slash)).value;
    const found = index.named(network.id, reference.slice(slash + 1) as Name);
    if (found === undefined) throw index.unknown(reference);
    return found;
  }

  /**
   * Listeners run when the whole `change` is in the view, listeners of claims first. Errors of listeners are thrown after
   * all listeners have run. Events that the view already has change nothing. Only a snapshot may lead back to an older
   * revision.
   */
  apply(change: Change): void {
    if (change.kind !== 'snapshot' && change.revision <= this.#revision) return;
    this.#reach(change.revision, this.#take(change));
  }

  /**
   * Applies a transaction of this manager that was committed at that revision. If the revision is the very next after the
   * view's, no other change can lie between them, and there is no need to wait for the watch. Listeners run as for `apply`.
   */
  wrote(revision: bigint, writes: readonly Write[]): void {
    // A transaction that only deletes absent keys creates no revision. The reply then has the revision of another write.
    if (revision !== this.#revision + 1n || writes.every(({ kind }) => kind === 'delete')) return;
    const effects: Effects = { changes: [], claims: [] };
    for (const write of writes) {
      if (write.kind === 'delete') this.#tables.delete(write.key, revision, effects);
      else this.#tables.put({ key: write.key, value: write.value, modRevision: revision }, effects);
    }
    this.#reach(revision, effects);
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

  /** Resolves when the view has reached the revision. @throws CausewayError timed-out when the signal aborts first */
  waitFor(revision: bigint, signal?: AbortSignal): Promise<void> {
    return this.#revision >= revision ? Promise.resolve() : this.#waiters.wait(revision, signal);
  }

  #take(change: Change): Effects {
    const effects: Effects = { changes: [], claims: [] };
    switch (change.kind) {
      case 'snapshot': {
        this.#tables = new Tables(this.#keys);
        for (const kv of change.kvs) this.#tables.put(kv, { changes: [], claims: [] });
        return { changes: [{ kind: 'reset', revision: change.revision }], claims: [{ kind: 'reset' }] };
      }
      case 'events':
        for (const event of change.events) {
          if (revisionOf(event) <= this.#revision) continue;
          if (event.kind === 'put') this.#tables.put(event.kv, effects);
          else this.#tables.delete(event.key, event.modRevision, effects);
        }
        return effects;
      case 'progress':
        return effects;
      default:
        return assertNever(change);
    }
  }

  #reach(revision: bigint, effects: Effects): void {
    this.#revision = revision;
    try {
      this.#notify(effects);
    } finally {
      this.#waiters.reached(revision);
    }
  }

  #notify({ claims, changes }: Effects): void {
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
