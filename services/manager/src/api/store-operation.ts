import type { Checksum } from '../cluster/backup/create-backup.ts';
import type { Maintenance } from '../cluster/maintenance/maintenance.ts';
import type { Membership } from '../cluster/membership/membership.ts';
import type { StoreMemberStatus } from '../store/store.ts';

/** What managers do for the servers of their store, as opposed to the data in the store. */
export interface StoreOperation {
  readonly maintenance: Maintenance;
  /** Absent: the managers do not supervise the members, so they neither add nor remove one. */
  readonly membership?: Membership;
  /** Makes the checksum of a backup. */
  readonly createChecksum: () => Checksum;
  /** Called with the members' status, each time that the manager looks. */
  readonly found?: (members: readonly StoreMemberStatus[]) => void;
}
