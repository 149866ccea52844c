/**
 * A point in the store's history: a revision and its cluster epoch. A restore from a backup begins a new epoch at an
 * older revision. Up to that revision both epochs have the same history; after it, equal revisions are different writes.
 */
export interface Stamp {
  readonly epoch: bigint;
  readonly revision: bigint;
}

/** Whether `stamp` is at `other` or after it. A later epoch is after all of an earlier epoch. */
export function reaches(stamp: Stamp, other: Stamp): boolean {
  return stamp.epoch === other.epoch ? stamp.revision >= other.revision : stamp.epoch > other.epoch;
}
