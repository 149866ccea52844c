import { setMaxListeners } from 'node:events';
import { CausewayError } from '@causeway/model';
import { RangeRequest, type TxnRequest } from '@causeway/proto/gen/etcd/rpc.js';
import {
  type Backoff,
  type Clock,
  type Duration,
  type Log,
  milliseconds,
  minutes,
  type Random,
  seconds,
} from '@causeway/runtime';
import { checkTxn } from '../../store/check.ts';
import {
  type Change,
  type Compare,
  defaultTxnOps,
  type KeySpan,
  type KeyValue,
  maxRevisionEvents,
  type Page,
  type PageOptions,
  type Step,
  type Store,
  type StoreLease,
  type StoreMemberStatus,
  type TxnResult,
  type Write,
} from '../../store/store.ts';
import type { EtcdCredentials } from './credentials.ts';
import { DiskWatch } from './disk.ts';
import { writeFailure } from './failure.ts';
import { follow, resume } from './follow.ts';
import { StoreIdentity } from './identity.ts';
import { grantLease, revokeLease } from './lease.ts';
import { readPage } from './listing.ts';
import { MemberConnections } from './member-connections.ts';
import { type ClusterAccess, knownMembers } from './members.ts';
import { EtcdPool } from './pool.ts';
import { pageFromWire, txnRequest } from './wire.ts';

interface EtcdStoreParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Absent: plaintext. */
  readonly credentials?: EtcdCredentials;
  /** The etcd cluster that this manager belongs to. Absent: the first cluster that answers. */
  readonly identity?: StoreIdentity;
}

export interface EtcdStoreSettings {
  /** Client URLs of one cluster's members. */
  readonly endpoints: readonly string[];
  /**
   * Limit of a whole call. etcd itself gives up on a proposal after 5 s plus two election timeouts (etcdserver's
   * ReqTimeout: 7 s).
   */
  readonly callTimeout?: Duration;
  /** How long the members wait without a message from their leader before they elect another (--election-timeout). */
  readonly electionTimeout?: Duration;
  /**
   * Limit of a transaction, which is sent only once. Absent: two election timeouts, at least 1 s; an election takes that
   * long. When a member forwards a proposal to a leader that has crashed, the proposal is lost, and etcd reports this
   * only after its ReqTimeout. A manager that waits for the report stops writing for 7 s instead of for an election.
   */
  readonly txnTimeout?: Duration;
  /** Most operations in one transaction, as the members are configured (--max-txn-ops). */
  readonly maxTxnOps?: number;
  /** Limit of one try of a read; after it, the next member is tried. */
  readonly attemptTimeout?: Duration;
  /**
   * Keys in one reply. For each page etcd counts all keys that are left in the range: 300,000 keys take 15 s in pages of
   * 1,000. A manager reads and takes in 100,000 endpoints in 5.2 s with pages of 10,000, and in 4.0 s with the default,
   * whose pages have some 8 MB each.
   */
  readonly pageSize?: number;
  /**
   * Silence on a stream after which the member is asked for a sign of life. After as much silence again the member may be
   * given up (stream-supervision.ts).
   */
  readonly progressInterval?: Duration;
  /** How often a follower's state is compared with the store. */
  readonly auditInterval?: Duration;
  /** Pauses between two streams of a follow. */
  readonly backoff?: Backoff;
}

const defaults = {
  callTimeout: seconds(7),
  electionTimeout: seconds(1),
  maxTxnOps: defaultTxnOps,
  attemptTimeout: seconds(2),
  pageSize: 25_000,
  progressInterval: seconds(2),
  auditInterval: minutes(10),
  backoff: { first: milliseconds(50), max: seconds(5), factor: 2 },
} as const satisfies Omit<Required<EtcdStoreSettings>, 'endpoints' | 'txnTimeout'>;

/** An election timeout may be configured shorter than a slow disk needs for a transaction. */
const shortestTxnTimeout = seconds(1);

/** The store on an etcd cluster, 3.4 or newer. */
export class EtcdStore implements Store {
  /** Access to the members themselves. */
  readonly access: ClusterAccess;
  readonly identity: StoreIdentity;
  readonly #parts: EtcdStoreParts;
  readonly #settings: Required<EtcdStoreSettings>;
  readonly #pool: EtcdPool;
  readonly #closed = new AbortController();

  /** Connects when first used. Throws "invalid-argument" for an endpoint that is not a client URL. */
  constructor(parts: EtcdStoreParts, settings: EtcdStoreSettings) {
    setMaxListeners(0, this.#closed.signal); // one listener for each call under way
    this.#parts = parts;
    const { electionTimeout = defaults.electionTimeout } = settings;
    const txnTimeout = milliseconds(Math.max(shortestTxnTimeout, 2 * electionTimeout));
    this.#settings = { ...defaults, txnTimeout, ...settings };
    this.identity = parts.identity ?? new StoreIdentity(parts.log);
    this.#pool = new EtcdPool({ ...parts, identity: this.identity }, this.#settings);
    const { identity } = this;
    this.access = {
      ...parts,
      identity,
      pool: this.#pool,
      connections: new MemberConnections({ ...parts, identity }),
      disks: new DiskWatch(),
      attemptTimeout: this.#settings.attemptTimeout,
      signal: this.#closed.signal,
    };
  }

  get maxTxnOps(): number {
    return Math.min(this.#settings.maxTxnOps, maxRevisionEvents);
  }

  async get(key: string): Promise<{ readonly kv?: KeyValue; readonly revision: bigint }> {
    const request = RangeRequest.create({ key: Buffer.from(key) });
    const reply = await this.#pool.repeat('reading etcd', this.#bounds(), ({ clients }, bounds) =>
      this.#pool.call(clients.kv.range.bind(clients.kv), request, bounds),
    );
    const { kvs, revision } = pageFromWire(reply);
    const [kv] = kvs;
    return kv === undefined ? { revision } : { kv, revision };
  }

  page(span: KeySpan, options: PageOptions): Promise<Page> {
    return readPage(this.#pool, span, options, this.#bounds());
  }

  async txn(compares: readonly Compare[], writes: readonly Write[]): Promise<TxnResult> {
    checkTxn(compares, writes, this.maxTxnOps);
    return await this.#send(txnRequest(compares, writes));
  }

  follow(prefix: string, signal: AbortSignal): AsyncIterable<Change> {
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    return follow({ ...this.#parts, pool: this.#pool }, this.#settings, prefix, ended);
  }

  watch(prefix: string, after: bigint, signal: AbortSignal): AsyncIterable<Step> {
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    return resume({ ...this.#parts, pool: this.#pool }, this.#settings, { prefix, after }, ended);
  }

  grant(ttl: Duration): Promise<StoreLease> {
    return grantLease({ pool: this.#pool, clock: this.#parts.clock }, ttl);
  }

  revoke(lease: bigint): Promise<void> {
    return revokeLease({ pool: this.#pool, clock: this.#parts.clock }, lease);
  }

  members(): Promise<readonly StoreMemberStatus[]> {
    return knownMembers(this.access);
  }

  /** Uses these members from now on. Throws as the constructor does. */
  useEndpoints(urls: readonly string[]): void {
    this.#pool.replace(urls);
  }

  async close(): Promise<void> {
    this.#closed.abort(new CausewayError('shutting-down', 'the store was closed'));
    this.access.connections.close();
    this.#pool.close();
  }

  /**
   * Sends the transaction once. If only the reply was lost, the compares of a second try would fail because of the first.
   */
  async #send(request: TxnRequest): Promise<TxnResult> {
    const bounds = this.#pool.bounds(this.#closed.signal, this.#settings.txnTimeout);
    const endpoint = await this.#pool.ready(bounds);
    try {
      const reply = await this.#pool.call(endpoint.clients.kv.txn.bind(endpoint.clients.kv), request, bounds);
      endpoint.check(reply);
      return { succeeded: reply.succeeded, revision: reply.header?.revision ?? 0n };
    } catch (error) {
      this.#pool.pass(endpoint);
      throw writeFailure(error);
    }
  }

  #bounds() {
    return this.#pool.bounds(this.#closed.signal);
  }
}
