import { CausewayError } from '@causeway/model';
import type { Compare, Write } from './store.ts';

/** Refuses, before anything is sent, a transaction that no store accepts: too many operations, or a key written twice. */
export function checkTxn(compares: readonly Compare[], writes: readonly Write[], maxOps: number): void {
  const most = Math.max(compares.length, writes.length);
  if (most > maxOps)
    throw new CausewayError('invalid-argument', `a transaction of ${most} operations: at most ${maxOps}`);
  const keys = new Set<string>();
  for (const { key } of writes) {
    if (keys.has(key)) throw new CausewayError('invalid-argument', `key ${key} is written twice in one transaction`);
    keys.add(key);
  }
}

/** The lease and its keys are gone; nothing was written. The message begins with `what`, which names the lease. */
export function leaseGone(what: string, cause?: unknown): CausewayError {
  return new CausewayError('store-unavailable', `${what} has ended`, { lease: 'gone' }, { cause });
}
