import type { StoreMember, StoreMemberStatus } from '../../store/store.ts';

export type { StoreMember, StoreMemberStatus };

/**
 * Who votes in the store's cluster, and how that changes: one change at a time, each agreed on by a majority. A change whose reply
 * was lost is "timed-out" and may have happened: list again and plan again. "quorum-loss" is the store's own refusal of a change that it
 * takes to be too dangerous at this moment; "store-unavailable" means that nothing was changed.
 */
export interface Membership {
  /** Every member with how it is doing; the list itself is agreed on, not one member's memory. */
  list(): Promise<readonly StoreMemberStatus[]>;
  /** Adds a learner and resolves to its id. The store has at most one learner: a second one is "store-unavailable". */
  add(peerUrl: string): Promise<string>;
  /** Gives a learner its vote, if it has caught up. "manager-removed" when there is no such member any more. */
  promote(id: string): Promise<'promoted' | 'not-in-sync'>;
  /** A member that is not there any more is no failure. */
  remove(id: string): Promise<void>;
  setPeerUrl(id: string, peerUrl: string): Promise<void>;
}
