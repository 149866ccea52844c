import type { NetnsIdentity } from '@causeway/netlink';

/**
 * Whether agents before 0.2 wrote it: "4:4026532894", device and inode without a boot. The inode may be another
 * namespace's by now, so such an identity never equals one that a kernel gives.
 */
export function isBareInode(identity: NetnsIdentity): boolean {
  return /^\d+:\d+$/.test(identity);
}
