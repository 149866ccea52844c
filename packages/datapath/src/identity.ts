import type { NetnsIdentity } from '@causeway/netlink';

/**
 * Whether an agent before 0.2 wrote the identity: "4:4026532894", device and inode without a boot id. The inode may
 * belong to another namespace by now, so such an identity never equals one that a kernel returns.
 */
export function isBareInode(identity: NetnsIdentity): boolean {
  return /^\d+:\d+$/.test(identity);
}
