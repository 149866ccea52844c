import type { RaisedAlarm, StoreMember } from '../../store/store.ts';

/**
 * Operations that keep a store small and healthy, and do not change its content. Each may be repeated, and does nothing
 * the second time. A failure is "store-unavailable": the operation may have happened or not; look again.
 */
export interface Maintenance {
  /** Forgets the values that keys had before this revision. Resolves when they have left the database. */
  compact(revision: bigint): Promise<void>;
  /** Gives free space back to the disk. Meanwhile the member does not answer. */
  defragment(member: StoreMember): Promise<void>;
  /** Disarms an alarm. The alarm is raised again by itself if its cause is still there. */
  disarm(alarm: RaisedAlarm): Promise<void>;
  /** The whole database as it was at one moment, in the store's own format, with the store's own checksum at the end. */
  snapshot(signal: AbortSignal): AsyncIterable<Uint8Array>;
}
