import { type Duration, milliseconds } from '@causeway/runtime';
import { isOutdated } from '../cluster/schema.ts';
import type { Cluster, LeaderRecord } from '../store/view.ts';

/** What this manager is in the cluster, as the elector publishes it. */
export type Leadership =
  | { readonly role: 'leader'; readonly term: bigint }
  | { readonly role: 'follower'; readonly leader?: { readonly name: string; readonly address: string } };

/** What the elector believes of itself. The lease began no later than `renewed`, when its last renewal was sent. */
export type ElectionState =
  /** `over`: a term in which no process leads any more, as this manager knows, although the store may still have its key. */
  | { readonly kind: 'standby'; readonly over?: bigint }
  | { readonly kind: 'leading'; readonly term: bigint; readonly renewed: number; readonly ttl: Duration };

export type ElectionStep =
  /** No manager leads: try to take the key. `ends`: the lease of a term that is over, which is to end first. */
  | { readonly kind: 'campaign'; readonly ends?: bigint }
  /** A manager leads, or nothing is known yet: wait until the view says otherwise. */
  | { readonly kind: 'watch' }
  | { readonly kind: 'renew'; readonly within: Duration }
  | { readonly kind: 'wait'; readonly span: Duration }
  | { readonly kind: 'resign'; readonly reason: 'lease-may-end' | 'deposed' | 'outdated' };

/** The part of the view that the rule looks at. */
export interface ElectionFacts {
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
 * The rule. A term ends with its lease: by itself when nobody renews it, or at once by a manager that knows that the process that led is gone.
 * Nothing is lost when that manager is wrong: the old leader writes nothing any more, because the fence in every write compares the
 * leader key, and it hears that from the store. By our own monotonic clock alone a leader steps down before the store can have given the key to another;
 * the fence in every write covers what a clock cannot (a process that was stopped in the middle of a write). One that knows
 * only an older schema than the store has does not lead, and so does not write.
 */
export function nextStep(state: ElectionState, facts: ElectionFacts, now: number, schema: number): ElectionStep {
  const outdated = isOutdated(facts, schema);
  if (state.kind === 'standby') {
    const { leader } = facts;
    if (facts.revision === 0n || outdated) return { kind: 'watch' };
    if (leader === undefined) return { kind: 'campaign' };
    // A leader of an older version does not say which lease is its own.
    const isOver = leader.term === state.over && leader.lease !== undefined;
    return isOver ? { kind: 'campaign', ends: leader.lease } : { kind: 'watch' };
  }
  if (outdated) return { kind: 'resign', reason: 'outdated' };
  if (facts.revision >= state.term && facts.leader?.term !== state.term) {
    return { kind: 'resign', reason: 'deposed' };
  }
  const end = deadline(state);
  if (now >= end) return { kind: 'resign', reason: 'lease-may-end' };
  const due = state.renewed + state.ttl / renewals;
  return now >= due
    ? { kind: 'renew', within: milliseconds(end - now) }
    : { kind: 'wait', span: milliseconds(due - now) };
}
