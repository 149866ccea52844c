import { type Duration, milliseconds } from '@causeway/runtime';
import { isOutdated } from '../cluster/schema.ts';
import type { Cluster, LeaderRecord } from '../store/view.ts';

/** What this manager is to the cluster, as it tells its own parts. */
export type Leadership =
  | { readonly role: 'leader'; readonly term: bigint }
  | { readonly role: 'follower'; readonly leader?: { readonly name: string; readonly address: string } };

/** What it believes of itself. The lease began no later than `renewed`, when its last renewal was sent. */
export type Standing =
  | { readonly kind: 'standby' }
  | { readonly kind: 'leading'; readonly term: bigint; readonly renewed: number; readonly ttl: Duration };

export type Step =
  /** Nobody leads: try to take the key. */
  | { readonly kind: 'campaign' }
  /** Somebody leads, or nothing is known yet: wait until the view says otherwise. */
  | { readonly kind: 'watch' }
  | { readonly kind: 'renew'; readonly within: Duration }
  | { readonly kind: 'wait'; readonly span: Duration }
  | { readonly kind: 'resign'; readonly reason: 'lease-may-end' | 'deposed' | 'outdated' };

/** The part of the view that matters. */
export interface Sight {
  readonly revision: bigint;
  readonly leader: LeaderRecord | undefined;
  readonly cluster: Cluster | undefined;
}

/** Renewals in a lease's time: two may be lost. */
const renewals = 3;

/** The end of the time in which a leader may believe in itself: a third of the lease before it can have ended. */
export function deadline({ renewed, ttl }: { renewed: number; ttl: Duration }): number {
  return renewed + ttl - ttl / renewals;
}

/**
 * The rule. By our own monotonic clock alone a leader steps down before the store can have given the key to another;
 * the fence in every write covers what a clock cannot (a process that was stopped in the middle of a write). One that knows
 * only an older schema than the store has does not lead, and so does not write.
 */
export function nextStep(standing: Standing, sight: Sight, now: number, schema: number): Step {
  const outdated = isOutdated(sight, schema);
  if (standing.kind === 'standby') {
    const idle = sight.revision === 0n || sight.leader !== undefined || outdated;
    return { kind: idle ? 'watch' : 'campaign' };
  }
  if (outdated) return { kind: 'resign', reason: 'outdated' };
  if (sight.revision >= standing.term && sight.leader?.term !== standing.term) {
    return { kind: 'resign', reason: 'deposed' };
  }
  const end = deadline(standing);
  if (now >= end) return { kind: 'resign', reason: 'lease-may-end' };
  const due = standing.renewed + standing.ttl / renewals;
  return now >= due
    ? { kind: 'renew', within: milliseconds(end - now) }
    : { kind: 'wait', span: milliseconds(due - now) };
}
