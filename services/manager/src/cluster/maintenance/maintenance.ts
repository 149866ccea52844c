import type { RaisedAlarm, StoreMember } from '../../store/store.ts';

/**
 * What keeps a store small and whole, as against what is stored. Everything here may be repeated, and does nothing the second time.
 * Failures are "store-unavailable": perhaps done, perhaps not; look again.
 */
export interface Maintenance {
  /** Forgets what keys were before this revision, and resolves when it has left the database. */
  compact(revision: bigint): Promise<void>;
  /** Gives free space back to the disk. The member answers nobody meanwhile. */
  defragment(member: StoreMember): Promise<void>;
  /** Takes an alarm back; it comes again by itself when its cause is still there. */
  disarm(alarm: RaisedAlarm): Promise<void>;
  /** The whole database as it was at one moment, in the store's own format, its own checksum at the end. */
  snapshot(signal: AbortSignal): AsyncIterable<Uint8Array>;
}
