import { CausewayError, type Network, type NodeId } from '@causeway/model';
import type { Clock, Random } from '@causeway/runtime';
import { type CallContext, withinCall } from '../call/context.ts';
import type { Custody } from '../cluster/ca/custody.ts';
import type { ExternalSigner } from '../cluster/ca/external-signer.ts';
import type { Peers } from '../cluster/peers.ts';
import { isOutdated } from '../cluster/schema.ts';
import type { Writer } from '../commit/writer.ts';
import type { Term } from '../election/term.ts';
import type { AddressIndex } from '../events/address-index.ts';
import type { EventSink } from '../events/event-sink.ts';
import type { EventFeed } from '../events/feed.ts';
import type { Feed } from '../feed/feed.ts';
import type { SubnetAddresses } from '../ipam/subnet-addresses.ts';
import type { DefaultPool } from '../ipam/subnet-pools.ts';
import type { ObjectCaches } from '../listwatch/object-caches.ts';
import { checkRecovered } from '../plan/recovery.ts';
import { checkNotRemoved } from '../plan/removed-node.ts';
import type { RevisionTimes } from '../store/revision-times.ts';
import type { Store, StoreMemberStatus } from '../store/store.ts';
import type { Cluster, View } from '../store/view.ts';
import { mayOnlyRead, noLeader, notLeader } from './leadership.ts';
import type { MtuGate } from './mtu-gate.ts';
import type { StoreOperation } from './store-operation.ts';

export interface ApiModules {
  readonly view: View;
  readonly caches: ObjectCaches;
  /** The addresses of each subnet of a network, in the network's order of subnets. */
  readonly subnetsOf: (network: Network) => readonly SubnetAddresses[];
  readonly store: Pick<Store, 'get' | 'txn' | 'grant' | 'members'>;
  /** Absent: the store has neither members nor snapshots. */
  readonly operation?: StoreOperation;
  /** Status of the store's members, as this manager finds them now. */
  readonly storeMembers: () => Promise<readonly StoreMemberStatus[]>;
  readonly peers: Peers;
  readonly feed: Feed;
  readonly events: Pick<EventFeed, 'read' | 'last'>;
  readonly addressIndex: Pick<AddressIndex, 'find'>;
  readonly sink: Pick<EventSink, 'emit'>;
  readonly mtuGate: MtuGate;
  /** What this manager issues certificates with; absent: nothing. */
  readonly custody?: Custody;
  /** The CA, if its key is not in the cluster; absent: this manager cannot ask such a CA. */
  readonly externalCa?: ExternalSigner;
  readonly clock: Clock;
  readonly random: Random;
  readonly revisionTimes: Pick<RevisionTimes, 'timeOf'>;
  readonly writer: Writer;
  /** Undefined while another manager leads, or there is no leader. */
  readonly term: () => Term | undefined;
}

export interface ApiSettings {
  readonly name: string;
  /** Id of this process; absent: answers contain no id. */
  readonly instance?: string;
  /** Host:port of this manager's gRPC service. */
  readonly address: string;
  /** Prefix of all keys in the store. */
  readonly prefix: string;
  /** The newest schema of records that this version knows. */
  readonly schema: number;
  /** Pools as configured. A family without a pool uses the cluster's default (ipam/subnet-pools.ts). */
  readonly defaultPools: readonly DefaultPool[];
}

/** Modules, settings and checks that all API calls share. */
export class ApiContext {
  readonly modules: ApiModules;
  readonly settings: ApiSettings;

  constructor(modules: ApiModules, settings: ApiSettings) {
    this.modules = modules;
    this.settings = settings;
  }

  get leads(): boolean {
    return this.modules.term() !== undefined;
  }

  /** Whether the store has records of a schema that this manager does not know. */
  get isOutdated(): boolean {
    return isOutdated(this.modules.view, this.settings.schema);
  }

  /** @throws CausewayError not-leader */
  leading(): Term {
    const term = this.modules.term();
    if (term !== undefined) return term;
    const { view } = this.modules;
    const refusal = notLeader(view, this.settings.address);
    throw refusal.data['leader'] === '' && this.isOutdated ? mayOnlyRead(view, this.settings.schema) : refusal;
  }

  /** The check of calls in which a host names itself. Every manager refuses a removed host. @throws CausewayError node-removed */
  notRemoved(node: string): void {
    checkNotRemoved(this.modules.view, node as NodeId);
  }

  /** The check of calls that take addresses, subnets or VNIs. @throws CausewayError recovering */
  recovered(): void {
    checkRecovered(this.modules.view);
  }

  /**
   * Only the leader can answer about hosts' sessions. When there is no leader, this manager still answers with the
   * intent, and adds a remark.
   * @throws CausewayError not-leader when another manager can answer better
   */
  leadingOrWithoutLeader(call: Pick<CallContext, 'withoutLeader' | 'remark'>): void {
    this.haveRead();
    if (this.leads || call.withoutLeader) return;
    if (this.modules.view.leader !== undefined) this.leading();
    call.remark(`manager ${this.settings.name} answers from its own state only: ${noLeader}`);
  }

  /** Waits until the view has the revision that the caller asked for. @throws CausewayError timed-out */
  async atLeast(revision: bigint, call: CallContext): Promise<void> {
    const { view, clock } = this.modules;
    this.haveRead();
    if (view.revision < revision) await withinCall(clock, call, (signal) => view.waitFor(revision, signal));
  }

  /** Refuses before the first read of the store: with an empty view, every object would seem unknown. */
  haveRead(): Cluster {
    const { cluster } = this.modules.view;
    if (cluster !== undefined) return cluster;
    throw new CausewayError('store-unavailable', 'this manager has not been able to read the store yet: try again');
  }
}
