/**
 * Identifies a network namespace, whichever path leads there: the kernel's number of the namespace (its cookie) and the
 * id of the boot, because numbers begin again with each boot. Two paths to one namespace have one identity. Two
 * namespaces never have the same identity.
 *
 * Form: "net:5021@8c1f…". A kernel before Linux 5.14 does not number namespaces. The inode takes the place of the
 * number then ("inode:4:4026532894@8c1f…"), and a new namespace may have the identity of a namespace that was deleted
 * before.
 */
export type NetnsIdentity = string;

export function netnsIdentity(
  bootId: string,
  of: { readonly cookie: bigint } | { readonly inode: string },
): NetnsIdentity {
  return `${'cookie' in of ? `net:${of.cookie}` : `inode:${of.inode}`}@${bootId}`;
}
