import type { Duration } from '@causeway/runtime';

export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  readonly createRevision: bigint;
  readonly modRevision: bigint;
}

/** A condition of a transaction; all must hold or nothing is written. */
export type Compare =
  /** A claim: the key does not exist yet. */
  | { readonly kind: 'absent'; readonly key: string }
  /** The record was not written since it was read. */
  | { readonly kind: 'unchanged'; readonly key: string; readonly modRevision: bigint }
  /** The fence: the key still has this create revision. */
  | { readonly kind: 'created'; readonly key: string; readonly createRevision: bigint }
  /** No key that exists under the prefix was written after that revision. Deletions are not noticed: they leave no key. */
  | { readonly kind: 'quiet'; readonly prefix: string; readonly since: bigint }
  /** There is no key in the span. */
  | { readonly kind: 'vacant'; readonly span: KeySpan };

/** Keys in key order, from `from` (inclusive) to `before` (exclusive). */
export interface KeySpan {
  readonly from: string;
  readonly before: string;
}

export interface PageOptions {
  /** Most keys in the page. */
  readonly limit: number;
  /**
   * Returns the last keys of the span, in descending order. Costs as much as reading the whole span: keep the span short.
   */
  readonly newest?: boolean;
  /** Leaves the values empty. */
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

/** etcd's default limit for each side of a transaction (--max-txn-ops). */
export const defaultTxnOps = 128;

/**
 * Most events in a revision that the managers cause, by a transaction or by the end of a lease with all its keys. etcd sends
 * all events of a revision in one message, and a follower must receive them together. A revision without a bound could
 * therefore block every follower. For the same reason there is no deletion of a range.
 */
export const maxRevisionEvents = 1_000;

export interface TxnResult {
  readonly succeeded: boolean;
  /** Revision of the store after the transaction. */
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
  /**
   * Time to live as granted: the store rounds up to whole seconds and has a minimum. The holder counts it from before the
   * request was sent, on its own monotonic clock.
   */
  readonly ttl: Duration;
  /**
   * Sends one keep-alive and waits for at most half the time to live. Resolves to the newly granted time to live. Throws
   * "store-unavailable" when the store did not answer (the lease may live on), with `data.lease` = "gone" when the store
   * says that the lease has ended.
   */
  renew(signal?: AbortSignal): Promise<Duration>;
  /** Ends the lease and deletes its keys. A lease that has ended already is no failure. */
  revoke(): Promise<void>;
}

/** A member of the store's cluster, as the cluster's own list has it. */
export interface StoreMember {
  /** The store's own id of the member. */
  readonly id: string;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  /** Where the other members reach the member. */
  readonly peerUrls: readonly string[];
  /** Where clients reach the member; none until the member has started for the first time. */
  readonly clientUrls: readonly string[];
  /** The member is joining: it receives all data and has no vote yet. */
  readonly learner: boolean;
}

/** An alarm that the store itself raises. It lasts until it is disarmed. */
export type RaisedAlarm = 'NOSPACE' | 'CORRUPT';

/** "SLOW-DISK" comes from the manager's own measurement, and ends by itself. */
export type StoreAlarm = RaisedAlarm | 'SLOW-DISK';

export interface StoreMemberStatus extends StoreMember {
  /** The member answers and knows a leader. If the member does not answer, the figures below are 0. */
  readonly healthy: boolean;
  readonly leader: boolean;
  /** Size of the member's database on disk, bytes. */
  readonly size: number;
  /** The part of `size` that is not free for reuse, bytes. */
  readonly sizeInUse: number;
  /** Revision of the newest change that the member has. */
  readonly revision: bigint;
  /** How many entries of the log the member's applied state is behind the furthest member. */
  readonly lag: bigint;
  readonly alarms: readonly StoreAlarm[];
}

/**
 * An ordered, watched key-value store with one revision for all keys (etcd's model). Failures are CausewayErrors.
 * "timed-out" means: it is unknown whether something was written. With every other code nothing was written:
 * "store-unavailable" (`data.lease` = "gone" for a write on an ended lease), "disk-full" (the store's quota),
 * "message-too-large", "invalid-argument" (a transaction that no store accepts).
 */
export interface Store {
  /** Most compares, and most writes, in one transaction; never more than `maxRevisionEvents`. */
  readonly maxTxnOps: number;
  get(key: string): Promise<{ readonly kv?: KeyValue; readonly revision: bigint }>;
  /** Reads a part of the keys in a span, at one revision. */
  page(span: KeySpan, options: PageOptions): Promise<Page>;
  /** Writes each key at most once. A lost reply is "timed-out": look the outcome up, never assume it. */
  txn(compares: readonly Compare[], writes: readonly Write[]): Promise<TxnResult>;
  /** Runs until the signal aborts. When the store is unreachable, the follow does not throw: it resumes later. */
  follow(prefix: string, signal: AbortSignal): AsyncIterable<Change>;
  /**
   * A follow after a revision, without snapshots. It ends when the store no longer keeps that history, or the signal aborts.
   */
  watch(prefix: string, after: bigint, signal: AbortSignal): AsyncIterable<Step>;
  grant(ttl: Duration): Promise<StoreLease>;
  /** Ends a lease, whichever client holds it, and deletes its keys. A lease that has ended already is no failure. */
  revoke(lease: bigint): Promise<void>;
  /** The members as a majority knows them; without a majority, as a member remembers them. */
  members(): Promise<readonly StoreMemberStatus[]>;
  close(): Promise<void>;
}
