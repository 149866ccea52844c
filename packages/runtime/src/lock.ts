/** How a lock was answered. `pid`: of the process that holds the lock, as far as this process can see it. */
export type LockOutcome =
  | { readonly kind: 'held'; release(): void }
  | { readonly kind: 'taken'; readonly pid: number | undefined };

/**
 * The seam to a lock that a process holds until it ends, however it ends: `kill -9` lets go of it too. A lock never waits.
 * testing/lock-contract.ts proves every implementation.
 */
export interface Lock {
  take(): Promise<LockOutcome>;
}
