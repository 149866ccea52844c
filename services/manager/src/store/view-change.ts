import type { ClusterId, Endpoint, EndpointId, Ip, Network, NetworkId, Node, NodeId, Vni } from '@causeway/model';
import type { Claimed } from './claim.ts';
import type { JsonObject, ManagerRecord } from './codec.ts';
import type { ClaimedVni } from './vni-claim.ts';

export interface Versioned<Value> {
  readonly value: Value;
  /** Of the store when the record was last written. */
  readonly revision: bigint;
  /** Of the store when the record was made; absent: the record does not come from the store. */
  readonly created?: bigint;
  /** The stored record when it has fields this version does not know; a rewrite carries them on. */
  readonly foreign?: JsonObject;
}

/** A manager that runs, and the revision of its registration. */
export interface RegisteredManager extends ManagerRecord {
  readonly revision: bigint;
}

export interface LeaderRecord {
  readonly name: string;
  /** Host:port of its gRPC service. */
  readonly address: string;
  /** Unix time, milliseconds. */
  readonly since: number;
  /** That the leader key ends with; absent: a manager of an older version leads. */
  readonly lease?: bigint;
  /** Revision that created the leader key: what writes are fenced with. */
  readonly term: bigint;
}

/** The last record of events that stands for nothing else: whose it is, and at which revision. */
export interface EventMark {
  readonly text: string;
  readonly revision: bigint;
}

export interface Cluster {
  readonly id: ClusterId;
  readonly epoch: bigint;
  /** Of the newest records; a manager that knows less must not write. */
  readonly schema: number;
  /** Of its record. */
  readonly revision: bigint;
  readonly foreign?: JsonObject;
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
  | { readonly kind: 'cluster'; readonly revision: bigint }
  | { readonly kind: 'leader'; readonly leader?: LeaderRecord; readonly revision: bigint }
  | {
      readonly kind: 'manager';
      readonly before?: RegisteredManager;
      readonly after?: RegisteredManager;
      readonly revision: bigint;
    }
  /** A snapshot replaced everything. */
  | { readonly kind: 'reset'; readonly revision: bigint };

/** A claim was taken, changed hands, or was given up (no `after`). */
export type ClaimChange =
  | {
      readonly kind: 'addr';
      readonly network: NetworkId;
      readonly ip: Ip;
      readonly before?: Claimed;
      readonly after?: Claimed;
    }
  | { readonly kind: 'vni'; readonly vni: Vni; readonly before?: ClaimedVni; readonly after?: ClaimedVni }
  | { readonly kind: 'reset' };
