/** The outcome of taking a lock. `pid`: the process that holds the lock; undefined: this process cannot see it. */
export type LockOutcome =
  | { readonly kind: 'held'; release(): void }
  | { readonly kind: 'taken'; readonly pid: number | undefined };

/**
 * The seam to a lock that a process holds until it ends, however it ends: `kill -9` releases the lock too. Taking a lock
 * never waits. testing/lock-contract.ts tests every implementation.
 */
export interface Lock {
  take(): Promise<LockOutcome>;
}
