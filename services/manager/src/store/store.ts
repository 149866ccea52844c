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
  /** No key that is under the prefix now was written after that revision; holds for an empty prefix. A deletion leaves nothing to compare, so it goes unseen. */
  | { readonly kind: 'quiet'; readonly prefix: string; readonly since: bigint }
  /** There is no key in the span. */
  | { readonly kind: 'vacant'; readonly span: KeySpan };

/** Keys in key order, from `from` on and less than `before`. */
export interface KeySpan {
  readonly from: string;
  readonly before: string;
}

export interface PageOptions {
  /** Keys in the page, at most. */
  readonly limit: number;
  /** The last keys of the span, the last one first; otherwise the first ones. Costs as much as all of the span: keep that short. */
  readonly newest?: boolean;
  /** Values are empty then. */
  readonly keysOnly?: boolean;
}

export interface Page {
  readonly kvs: readonly KeyValue[];
  /** The span has more keys than these. */
  readonly more: boolean;
  readonly revision: bigint;
}

export type Write =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: bigint }
  | { readonly kind: 'delete'; readonly key: string };

/** What etcd takes unless it is told otherwise (--max-txn-ops), on each side of a transaction. */
export const defaultTxnOps = 128;

/**
 * No revision that we cause has more events: neither a transaction, nor the end of a lease with all its keys. etcd sends
 * the events of a revision as one, and who follows must take them in as one, so a revision without a bound can stand in
 * every follower's way. There is no deletion of a range for that reason.
 */
export const maxRevisionEvents = 1_000;

export interface TxnResult {
  readonly succeeded: boolean;
  /** Of the store after the transaction. */
  readonly revision: bigint;
}

export type StoreEvent =
  | { readonly kind: 'put'; readonly kv: KeyValue }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: bigint };

export function revisionOf(event: StoreEvent): bigint {
  return event.kind === 'put' ? event.kv.modRevision : event.modRevision;
}

/** What happened after a revision. */
export type Step =
  /** All events of one or more whole revisions, in order. */
  | { readonly kind: 'events'; readonly revision: bigint; readonly events: readonly StoreEvent[] }
  /** Nothing happened up to this revision. */
  | { readonly kind: 'progress'; readonly revision: bigint };

/** A follower gets a snapshot first, and again whenever the history it needs is gone; both lead to the same state. */
export type Change = { readonly kind: 'snapshot'; readonly revision: bigint; readonly kvs: readonly KeyValue[] } | Step;

export interface StoreLease {
  readonly id: bigint;
  /** As granted: the store rounds up to whole seconds and has a minimum. Counts from before the request was sent, on the holder's own monotonic clock. */
  readonly ttl: Duration;
  /**
   * One keep-alive, bounded by half the time to live; resolves to the time to live that was granted anew. Throws "store-unavailable"
   * when the store did not answer (the lease may live on), with `data.lease` = "gone" when the store says that the lease has ended.
   */
  renew(signal?: AbortSignal): Promise<Duration>;
  /** Ends the lease and deletes its keys; one that has ended already is no failure. */
  revoke(): Promise<void>;
}

/** A member of the store's cluster, as the cluster's own list has it. */
export interface StoreMember {
  /** The store's own name for it. */
  readonly id: string;
  /** Empty until it has started for the first time. */
  readonly name: string;
  /** Where the other members reach it. */
  readonly peerUrls: readonly string[];
  /** Where clients reach it; none until it has started for the first time. */
  readonly clientUrls: readonly string[];
  /** Receives everything and has no vote: on its way in. */
  readonly learner: boolean;
}

/** Raised by the store itself; lasts until it is taken back. */
export type RaisedAlarm = 'NOSPACE' | 'CORRUPT';

/** "SLOW-DISK" is what we measure, and goes by itself. */
export type StoreAlarm = RaisedAlarm | 'SLOW-DISK';

export interface StoreMemberStatus extends StoreMember {
  /** Answers, and knows a leader. The figures below are 0 when it does not answer. */
  readonly healthy: boolean;
  readonly leader: boolean;
  /** Of its database on disk, bytes. */
  readonly size: number;
  /** Of that, what is not free for reuse. */
  readonly sizeInUse: number;
  /** Of its newest change. */
  readonly revision: bigint;
  /** Entries of the log that it has not applied, counted from the furthest member. */
  readonly lag: bigint;
  readonly alarms: readonly StoreAlarm[];
}

/**
 * An ordered, watched key-value store with one revision for all keys (etcd's model). Failures are CausewayErrors:
 * "timed-out" when it is unknown whether something was written; with every other code nothing was: "store-unavailable" (`data.lease` = "gone"
 * for a write on an ended lease), "disk-full" (the store's quota), "message-too-large", "invalid-argument" (a transaction no store takes).
 */
export interface Store {
  /** Compares of one transaction, and writes of one transaction, at most; never more than `maxRevisionEvents`. */
  readonly maxTxnOps: number;
  get(key: string): Promise<{ readonly kv?: KeyValue; readonly revision: bigint }>;
  /** Part of what a span holds, at one revision. */
  page(span: KeySpan, options: PageOptions): Promise<Page>;
  /** At most `maxTxnOps` on each side, each key written at most once. A lost reply is "timed-out": look the outcome up, never assume it. */
  txn(compares: readonly Compare[], writes: readonly Write[]): Promise<TxnResult>;
  /** Endless until the signal aborts; never throws for an unreachable store, it resumes. */
  follow(prefix: string, signal: AbortSignal): AsyncIterable<Change>;
  /** A follow from a revision on, without snapshots: it ends when that much history is not kept any more, or the signal aborts. */
  watch(prefix: string, after: bigint, signal: AbortSignal): AsyncIterable<Step>;
  grant(ttl: Duration): Promise<StoreLease>;
  /** Ends a lease, whichever client holds it, and deletes its keys; one that has ended already is no failure. */
  revoke(lease: bigint): Promise<void>;
  /** As a majority has them; without one, as a member remembers them. */
  members(): Promise<readonly StoreMemberStatus[]>;
  close(): Promise<void>;
}
