/**
 * A place in the store's history: a revision, and the cluster epoch it is of. A restore from a backup begins a new epoch at
 * an older revision. Up to there both epochs are one history; beyond, equal revisions are of different writes.
 */
export interface Stamp {
  readonly epoch: bigint;
  readonly revision: bigint;
}

/** Whether it is at that other place or after it: a later epoch is after all of an earlier one. */
export function reaches(stamp: Stamp, other: Stamp): boolean {
  return stamp.epoch === other.epoch ? stamp.revision >= other.revision : stamp.epoch > other.epoch;
}
