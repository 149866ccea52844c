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
