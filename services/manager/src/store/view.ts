import {
  assertNever,
  type CausewayError,
  type ClusterId,
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
import {
  decodeText,
  endpointCodec,
  type JsonObject,
  leaderCodec,
  metaCodec,
  networkCodec,
  nodeCodec,
} from './codec.ts';
import { EndpointIndex } from './endpoint-index.ts';
import { Keys, type StoreKey } from './keys.ts';
import { RecordIndex } from './record-index.ts';
import { RevisionWaiters } from './revision-waiters.ts';
import type { Change, KeyValue, StoreEvent } from './store.ts';

export interface Versioned<Value> {
  readonly value: Value;
  /** Of the store when the record was last written. */
  readonly revision: bigint;
  /** The stored record when it has fields this version does not know; a rewrite carries them on. */
  readonly foreign?: JsonObject;
}

export interface LeaderRecord {
  readonly name: string;
  /** Host:port of its gRPC service. */
  readonly address: string;
  /** Unix time, milliseconds. */
  readonly since: number;
  /** Revision that created the leader key: what writes are fenced with. */
  readonly term: bigint;
}

export interface Cluster {
  readonly id: ClusterId;
  readonly epoch: bigint;
}

export type ViewChange =
  | {
      readonly kind: 'network';
      readonly id: NetworkId;
      readonly before?: Versioned<Network>;
      readonly after?: Versioned<Network>;
      readonly revision: bigint;
    }
  | {
      readonly kind: 'endpoint';
      readonly network: NetworkId;
      readonly id: EndpointId;
      readonly before?: Versioned<Endpoint>;
      readonly after?: Versioned<Endpoint>;
      readonly revision: bigint;
    }
  | {
      readonly kind: 'node';
      readonly id: NodeId;
      readonly before?: Versioned<Node>;
      readonly after?: Versioned<Node>;
      readonly revision: bigint;
    }
  | { readonly kind: 'leader'; readonly leader?: LeaderRecord; readonly revision: bigint }
  /** A snapshot replaced everything. */
  | { readonly kind: 'reset'; readonly revision: bigint };

/** A claim was taken (`holder` set) or given up. */
export type ClaimChange =
  | { readonly kind: 'addr'; readonly network: NetworkId; readonly ip: Ip; readonly holder?: string }
  | { readonly kind: 'vni'; readonly vni: Vni; readonly holder?: string }
  | { readonly kind: 'reset' };

type Listener<Event> = (event: Event) => void;

/**
 * All that the store holds, in memory and indexed, at one revision: what every read and every plan looks at.
 * It only ever moves by `apply`, so two views given the same changes are equal.
 */
export class View {
  readonly #keys: Keys;
  #revision = 0n;
  #cluster: Cluster | undefined;
  #leader: LeaderRecord | undefined;
  #networks = new RecordIndex<NetworkId, Network>('network');
  #nodes = new RecordIndex<NodeId, Node>('node');
  #endpoints = new EndpointIndex();
  #addresses = new Map<NetworkId, Map<Ip, string>>();
  #macs = new Map<NetworkId, Map<Mac, string>>();
  #vnis = new Map<Vni, string>();
  #damaged = new Map<string, CausewayError>();
  readonly #waiters = new RevisionWaiters();
  readonly #listeners = new Set<Listener<readonly ViewChange[]>>();
  readonly #claimListeners = new Set<Listener<ClaimChange>>();

  constructor(keys: Keys = new Keys()) {
    this.#keys = keys;
  }

  /** Of the newest change applied; 0 before the first snapshot. */
  get revision(): bigint {
    return this.#revision;
  }

  get cluster(): Cluster | undefined {
    return this.#cluster;
  }

  get leader(): LeaderRecord | undefined {
    return this.#leader;
  }

  get networks(): ReadonlyMap<NetworkId, Versioned<Network>> {
    return this.#networks.all;
  }

  get nodes(): ReadonlyMap<NodeId, Versioned<Node>> {
    return this.#nodes.all;
  }

  get endpointCount(): number {
    return this.#endpoints.size;
  }

  endpoint(id: EndpointId): Versioned<Endpoint> | undefined {
    return this.#endpoints.get(id);
  }

  endpointsOf(network: NetworkId): ReadonlyMap<EndpointId, Versioned<Endpoint>> {
    return this.#endpoints.of(network);
  }

  /** Ids of the endpoints on a host. */
  endpointsOn(node: NodeId): ReadonlySet<EndpointId> {
    return this.#endpoints.on(node);
  }

  /** Networks of which the host has an endpoint: those its agent is subscribed to. */
  networksOn(node: NodeId): ReadonlySet<NetworkId> {
    return this.#endpoints.networksOn(node);
  }

  endpointNamed(network: NetworkId, name: Name): Versioned<Endpoint> | undefined {
    return this.#endpoints.named(network, name);
  }

  /** Who holds each address of a network: an endpoint's id, or "gateway". */
  addressesOf(network: NetworkId): ReadonlyMap<Ip, string> {
    return this.#addresses.get(network) ?? empty;
  }

  /** Who holds each Ethernet address that does not follow from a claimed IPv4 address. */
  macsOf(network: NetworkId): ReadonlyMap<Mac, string> {
    return this.#macs.get(network) ?? empty;
  }

  get vnis(): ReadonlyMap<Vni, string> {
    return this.#vnis;
  }

  /** Records that could not be read, by key: they are left out of everything else. */
  get damaged(): ReadonlyMap<string, CausewayError> {
    return this.#damaged;
  }

  /** @throws CausewayError network-unknown */
  findNetwork(nameOrId: string): Versioned<Network> {
    return this.#networks.find(nameOrId);
  }

  /** @throws CausewayError node-unknown */
  findNode(nameOrId: string): Versioned<Node> {
    return this.#nodes.find(nameOrId);
  }

  /**
   * By id, by name, or by NETWORK/NAME.
   * @throws CausewayError endpoint-unknown, name-ambiguous when several networks have the name, network-unknown
   */
  findEndpoint(reference: string): Versioned<Endpoint> {
    const slash = reference.indexOf('/');
    if (slash < 0) return this.#endpoints.find(reference, (id) => this.#networks.all.get(id)?.value.name ?? id);
    const network = this.findNetwork(reference.slice(0, slash)).value;
    const found = this.#endpoints.named(network.id, reference.slice(slash + 1) as Name);
    if (found === undefined) throw this.#endpoints.unknown(reference);
    return found;
  }

  /** Listeners run after all of `change` is in the view, claims' first; what one throws is thrown when all have run. */
  apply(change: Change): void {
    const changes: ViewChange[] = [];
    const claims: ClaimChange[] = [];
    switch (change.kind) {
      case 'snapshot':
        this.#clear();
        for (const kv of change.kvs) this.#put(kv, [], []);
        changes.push({ kind: 'reset', revision: change.revision });
        claims.push({ kind: 'reset' });
        break;
      case 'events':
        for (const event of change.events) this.#event(event, changes, claims);
        break;
      case 'progress':
        break;
      default:
        assertNever(change);
    }
    this.#revision = change.revision;
    try {
      this.#tell(claims, changes);
    } finally {
      this.#waiters.reached(change.revision);
    }
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

  #clear(): void {
    this.#cluster = undefined;
    this.#leader = undefined;
    this.#networks = new RecordIndex('network');
    this.#nodes = new RecordIndex('node');
    this.#endpoints = new EndpointIndex();
    this.#addresses = new Map();
    this.#macs = new Map();
    this.#vnis = new Map();
    this.#damaged = new Map();
  }

  #tell(claims: readonly ClaimChange[], changes: readonly ViewChange[]): void {
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

  #event(event: StoreEvent, changes: ViewChange[], claims: ClaimChange[]): void {
    if (event.kind === 'put') {
      this.#put(event.kv, changes, claims);
    } else {
      this.#damaged.delete(event.key);
      const key = this.#keys.parse(event.key);
      if (key !== undefined) this.#delete(key, event.modRevision, changes, claims);
    }
  }

  #put(kv: KeyValue, changes: ViewChange[], claims: ClaimChange[]): void {
    const key = this.#keys.parse(kv.key);
    if (key === undefined) return;
    const failure = this.#store(key, kv, changes, claims);
    if (failure === undefined) this.#damaged.delete(kv.key);
    else this.#damaged.set(kv.key, failure);
  }

  /** Returns why the record could not be read. */
  #store(key: StoreKey, kv: KeyValue, changes: ViewChange[], claims: ClaimChange[]): CausewayError | undefined {
    const revision = kv.modRevision;
    switch (key.kind) {
      case 'meta': {
        const meta = metaCodec.decode(kv.value);
        if (!meta.ok) return meta.error;
        this.#cluster = { id: meta.value.value.clusterId, epoch: meta.value.value.epoch };
        return undefined;
      }
      case 'leader': {
        const claim = leaderCodec.decode(kv.value);
        if (!claim.ok) return claim.error;
        this.#leader = { ...claim.value.value, term: kv.createRevision };
        changes.push({ kind: 'leader', leader: this.#leader, revision });
        return undefined;
      }
      case 'network': {
        const record = networkCodec.decode(kv.value);
        if (!record.ok) return record.error;
        const after = { ...record.value, revision };
        changes.push({ kind: 'network', id: key.id, ...this.#networks.set(key.id, after), revision });
        return undefined;
      }
      case 'node': {
        const record = nodeCodec.decode(kv.value);
        if (!record.ok) return record.error;
        const after = { ...record.value, revision };
        changes.push({ kind: 'node', id: key.id, ...this.#nodes.set(key.id, after), revision });
        return undefined;
      }
      case 'endpoint': {
        const record = endpointCodec.decode(kv.value);
        if (!record.ok) return record.error;
        const after = { ...record.value, revision };
        changes.push({ ...key, ...this.#endpoints.set(after), revision });
        return undefined;
      }
      case 'addr': {
        const holder = decodeText(kv.value);
        inner(this.#addresses, key.network).set(key.ip, holder);
        claims.push({ ...key, holder });
        return undefined;
      }
      case 'mac':
        inner(this.#macs, key.network).set(key.mac, decodeText(kv.value));
        return undefined;
      case 'vni': {
        const holder = decodeText(kv.value);
        this.#vnis.set(key.vni, holder);
        claims.push({ ...key, holder });
        return undefined;
      }
      case 'network-name':
      case 'node-name':
      case 'endpoint-name':
      case 'pool':
      case 'req':
        return undefined; // implied by the records, or asked of the store itself
      default:
        return assertNever(key);
    }
  }

  #delete(key: StoreKey, revision: bigint, changes: ViewChange[], claims: ClaimChange[]): void {
    switch (key.kind) {
      case 'meta':
        this.#cluster = undefined;
        return;
      case 'leader':
        this.#leader = undefined;
        changes.push({ kind: 'leader', revision });
        return;
      case 'network': {
        const gone = this.#networks.delete(key.id);
        if (gone !== undefined) changes.push({ ...key, kind: 'network', before: gone, revision });
        return;
      }
      case 'node': {
        const gone = this.#nodes.delete(key.id);
        if (gone !== undefined) changes.push({ ...key, kind: 'node', before: gone, revision });
        return;
      }
      case 'endpoint': {
        const gone = this.#endpoints.delete(key.id);
        if (gone !== undefined) changes.push({ ...key, before: gone, revision });
        return;
      }
      case 'addr':
        removeInner(this.#addresses, key.network, key.ip);
        claims.push(key);
        return;
      case 'mac':
        removeInner(this.#macs, key.network, key.mac);
        return;
      case 'vni':
        this.#vnis.delete(key.vni);
        claims.push(key);
        return;
      case 'network-name':
      case 'node-name':
      case 'endpoint-name':
      case 'pool':
      case 'req':
        return;
      default:
        assertNever(key);
    }
  }
}

const empty: ReadonlyMap<never, never> = new Map<never, never>();

function inner<Outer, Key>(map: Map<Outer, Map<Key, string>>, outer: Outer): Map<Key, string> {
  const found = map.get(outer);
  if (found !== undefined) return found;
  const made = new Map<Key, string>();
  map.set(outer, made);
  return made;
}

function removeInner<Outer, Key>(map: Map<Outer, Map<Key, string>>, outer: Outer, key: Key): void {
  const found = map.get(outer);
  if (found?.delete(key) === true && found.size === 0) map.delete(outer);
}
