/**
 * Which network namespace, whatever path leads there: the kernel's own number of the namespace (its cookie) and the boot
 * that numbers begin anew with. Two paths to one namespace have one identity; no two namespaces ever have the same.
 *
 * "net:5021@8c1f…". A kernel before Linux 5.14 numbers no namespaces: there the inode stands for the number
 * ("inode:4:4026532894@8c1f…"), and a namespace made right after another was deleted may have the identity of that one.
 */
export type NetnsIdentity = string;

export function netnsIdentity(
  bootId: string,
  of: { readonly cookie: bigint } | { readonly inode: string },
): NetnsIdentity {
  return `${'cookie' in of ? `net:${of.cookie}` : `inode:${of.inode}`}@${bootId}`;
}

/**
 * Whether agents before 0.2 wrote it: "4:4026532894", device and inode without a boot. The inode may be another
 * namespace's by now, so such an identity never equals one that a kernel gives.
 */
export function isBareInode(identity: NetnsIdentity): boolean {
  return /^\d+:\d+$/.test(identity);
}
