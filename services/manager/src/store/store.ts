import type { Duration } from '@causeway/runtime';

export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
}

/** A condition of a transaction; all must hold or nothing is written. */
export type Compare =
  /** A claim: nobody has it. */
  | { readonly kind: 'absent'; readonly key: string }
  /** The record is as it was read. */
  | { readonly kind: 'unchanged'; readonly key: string; readonly modRevision: bigint }
  /** The fence: the key is still the one created at that revision. */
  | { readonly kind: 'created'; readonly key: string; readonly createRevision: bigint }
  /** No key under the prefix was written after that revision. */
  | { readonly kind: 'quiet'; readonly prefix: string; readonly since: bigint };

export type Write =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: bigint }
  | { readonly kind: 'delete'; readonly key: string };

/** Compares plus writes of one transaction, at most (etcd's --max-txn-ops default, less the room we keep). */
export const maxTxnOps = 120;

export interface TxnResult {
  readonly succeeded: boolean;
  /** Of the store after the transaction. */
  readonly revision: bigint;
}

export type StoreEvent =
  | { readonly kind: 'put'; readonly kv: KeyValue }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: bigint };

/** A follower gets a snapshot first, and again whenever the history it needs is gone; both lead to the same state. */
export type Change =
  | { readonly kind: 'snapshot'; readonly revision: bigint; readonly kvs: readonly KeyValue[] }
  /** All events of one or more whole revisions, in order. */
  | { readonly kind: 'events'; readonly revision: bigint; readonly events: readonly StoreEvent[] }
  /** Nothing happened up to this revision. */
  | { readonly kind: 'progress'; readonly revision: bigint };

export interface StoreLease {
  readonly id: bigint;
  /** One keep-alive; resolves to the time to live that was granted anew, throws "store-unavailable" when the lease is gone or unreachable. */
  renew(signal?: AbortSignal): Promise<Duration>;
  revoke(): Promise<void>;
}

export interface StoreMemberStatus {
  readonly name: string;
  readonly clientUrls: readonly string[];
  readonly healthy: boolean;
}

/**
 * An ordered, watched key-value store with one revision for all keys (etcd's model). Failures are CausewayErrors:
 * "store-unavailable" when nothing was written for certain, "timed-out" when that is unknown.
 */
export interface Store {
  get(key: string): Promise<{ readonly kv?: KeyValue; readonly revision: bigint }>;
  /** Every key that begins with the prefix, in key order, all at one revision. */
  list(prefix: string): Promise<{ readonly kvs: readonly KeyValue[]; readonly revision: bigint }>;
  txn(compares: readonly Compare[], writes: readonly Write[]): Promise<TxnResult>;
  /** Endless until the signal aborts; never throws for an unreachable store, it resumes. */
  follow(prefix: string, signal: AbortSignal): AsyncIterable<Change>;
  grant(ttl: Duration): Promise<StoreLease>;
  members(): Promise<readonly StoreMemberStatus[]>;
  close(): Promise<void>;
}
