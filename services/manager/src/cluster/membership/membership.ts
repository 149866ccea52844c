import type { StoreMember, StoreMemberStatus } from '../../store/store.ts';

export type { StoreMember, StoreMemberStatus };

/**
 * The voters of the store's cluster, and how they change: one change at a time, each agreed on by a majority. A change
 * whose reply was lost is "timed-out" and may have happened: list again and plan again. With "quorum-loss" the store
 * itself refuses a change that it takes to be too dangerous at this moment. "store-unavailable" means that nothing was
 * changed.
 */
export interface Membership {
  /** Every member with its status. A majority agrees on the list; it is not one member's memory. */
  list(): Promise<readonly StoreMemberStatus[]>;
  /**
   * Adds a learner and resolves to its id. The store has at most one learner: adding a second one is "store-unavailable".
   */
  add(peerUrl: string): Promise<string>;
  /** Makes a learner a voter, if it has caught up. "manager-removed" when the learner is not a member any more. */
  promote(id: string): Promise<'promoted' | 'not-in-sync'>;
  /** Succeeds also when the member is not there any more. */
  remove(id: string): Promise<void>;
  setPeerUrl(id: string, peerUrl: string): Promise<void>;
}
