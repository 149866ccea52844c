import { type Duration, milliseconds } from '@causeway/runtime';
import { isOutdated } from '../cluster/schema.ts';
import type { Cluster, LeaderRecord } from '../store/view.ts';

/** The role of this manager in the cluster, as the elector publishes it. */
export type Leadership =
  | { readonly role: 'leader'; readonly term: bigint }
  | { readonly role: 'follower'; readonly leader?: { readonly name: string; readonly address: string } };

/**
 * What the elector believes of itself. `renewed`: when the last renewal was sent; the lease lasts at least `ttl` from then.
 */
export type ElectionState =
  /** `over`: a term that this manager knows to be over, although the store may still have its leader key. */
  | { readonly kind: 'standby'; readonly over?: bigint }
  | { readonly kind: 'leading'; readonly term: bigint; readonly renewed: number; readonly ttl: Duration };

export type ElectionStep =
  /** No manager leads: try to take the key. `ends`: the lease of a term that is over; revoke this lease first. */
  | { readonly kind: 'campaign'; readonly ends?: bigint }
  /** A manager leads, or the view is still empty: wait for a change of the view. */
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

/**
 * When a lease is renewed, as a share of its time to live. So a manager without CPU time for more than a second, on an
 * overloaded machine, still renews a lease of 3 s before its deadline.
 */
const renewAfter = 1 / 6;

/** Until then a leader may believe that it leads: a third of the time to live before the lease can have ended. */
export function deadline({ renewed, ttl }: { renewed: number; ttl: Duration }): number {
  return renewed + ttl - ttl / 3;
}

/**
 * The rule. A term ends with its lease. The lease ends by itself when no manager renews it, or at once when a manager that
 * knows that the leader's process is gone revokes it. If that manager is wrong, nothing is lost: the fence in every write
 * compares the leader key, so the old leader writes nothing more, and it learns from the store that its term is over.
 * A leader relies on its own monotonic clock alone to step down before the store can have given the key to another manager.
 * The fence covers what a clock cannot (a process that was stopped in the middle of a write). A manager that knows only an
 * older schema than the store has does not lead, and so does not write.
 */
export function nextStep(state: ElectionState, facts: ElectionFacts, now: number, schema: number): ElectionStep {
  const outdated = isOutdated(facts, schema);
  if (state.kind === 'standby') {
    const { leader } = facts;
    if (facts.revision === 0n || outdated) return { kind: 'watch' };
    if (leader === undefined) return { kind: 'campaign' };
    // The record of a leader of an older version does not name its lease.
    const isOver = leader.term === state.over && leader.lease !== undefined;
    return isOver ? { kind: 'campaign', ends: leader.lease } : { kind: 'watch' };
  }
  if (outdated) return { kind: 'resign', reason: 'outdated' };
  if (facts.revision >= state.term && facts.leader?.term !== state.term) {
    return { kind: 'resign', reason: 'deposed' };
  }
  const end = deadline(state);
  if (now >= end) return { kind: 'resign', reason: 'lease-may-end' };
  const due = state.renewed + state.ttl * renewAfter;
  return now >= due
    ? { kind: 'renew', within: milliseconds(end - now) }
    : { kind: 'wait', span: milliseconds(due - now) };
}

/** How this manager is known to the others. */
export interface Self {
  readonly name: string;
  readonly address: string;
}

/**
 * The data directory belongs to this process alone, so a leader of this name and address is a former process of this
 * manager. To be asked at the start only: otherwise two managers set up with the same name would keep ending each other's
 * terms.
 */
export function stateAtStart(leader: LeaderRecord | undefined, { name, address }: Self): ElectionState {
  const isFormer = leader?.name === name && leader.address === address;
  return { kind: 'standby', ...(isFormer && { over: leader.term }) };
}

/** The leader whose process a standby watches; undefined: no other manager leads. */
export function toWatch(
  state: ElectionState,
  leader: LeaderRecord | undefined,
  { address }: Self,
): LeaderRecord | undefined {
  return state.kind === 'standby' && leader?.address !== address ? leader : undefined;
}

/** A leader key of this manager itself, left from a term that it no longer leads, names no leader. */
export function leadershipOf(state: ElectionState, leader: LeaderRecord | undefined, { address }: Self): Leadership {
  if (state.kind === 'leading') return { role: 'leader', term: state.term };
  if (leader === undefined || leader.address === address) return { role: 'follower' };
  return { role: 'follower', leader: { name: leader.name, address: leader.address } };
}

export function isSame(a: Leadership, b: Leadership): boolean {
  if (a.role === 'leader') return b.role === 'leader' && a.term === b.term;
  return b.role === 'follower' && a.leader?.address === b.leader?.address && a.leader?.name === b.leader?.name;
}
