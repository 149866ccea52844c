import type { Link, VethPeer } from './kinds/link/link.ts';
import { hostNetns, type NetnsPath } from './state.ts';

/*
 * Which objects in a kernel are ours. Objects that the kernel makes by itself do not appear here: Kernel.read hides them.
 *
 * | where                   | ours                                                  | not desired, but found      |
 * | an overlay's namespace  | everything                                            | is removed                  |
 * | a container's namespace | the named interface, and the desired objects on it    | is the container's, is kept |
 * | the host namespace      | links with our mark, and all that belongs to them;    | is removed                  |
 * |                         | SAs and policies of IPsec with our numbers;           |                             |
 * |                         | tables of nftables with our names                     |                             |
 *
 * A tunnel of an overlay that was moved to another namespace is still ours, and is deleted there when it is made anew.
 * Objects that belong to no link have an owner rule of their own in their kind (`isOurs`): a mark, a number, a table's name.
 */

/**
 * Our mark on links of the host namespace, where other programs have links too: their device group. The message that makes
 * a link sets its group, so a link of ours is never without the mark. The number means nothing; other programs use small
 * ones. `ip link show group 1668773751` lists our links.
 */
export const ourGroup = 0x63777777;

/**
 * Whether a link of the host namespace is ours: by its group, and by its name. A name alone proves nothing. The group alone
 * would let one mistaken command (`ip link set eth0 group 1668773751`) hand the host's uplink to the agent, to be removed.
 */
export function isOurHostLink({ name, group }: { readonly name: string; readonly group: number }): boolean {
  return group === ourGroup && name.startsWith('cw-');
}

/**
 * Whether the path is exactly one that an overlay is made at (`overlayNetns`): "cw-" and the first ten hex digits of a
 * network's id. The path does not prove what is mounted there. The code that builds a state must keep containers, which
 * are known by their identity, off these paths, and must not take a container's namespace at such a path for an overlay.
 */
export function isOverlayNetns(netns: NetnsPath): boolean {
  return /^\/run\/netns\/cw-[0-9a-f]{10}$/.test(netns);
}

/**
 * Whether a link that is found in the namespace and not desired is ours to remove, and so is what belongs to the link. In
 * the host namespace `Kernel.read` finds only our links.
 */
export function isOurLink(netns: NetnsPath): boolean {
  return isOverlayNetns(netns) || netns === hostNetns;
}

/**
 * Whether a link in a container's namespace, whose other end is not where it should be, was made by us (its other end was
 * removed). A link that just has the name we want is not ours.
 */
export function isOurEnd(found: Link, desired: VethPeer): boolean {
  return found.kind === 'veth' && found.mac === desired.mac;
}

/**
 * Our numbers on objects of IPsec, of which other programs (strongSwan, Docker) have some in the host namespace too. The message
 * that makes an SA or a policy sets them, so none of ours is ever without. An SA is ours by its reqid. A policy is ours by its
 * priority, if its template, where it has one, names a reqid of ours. The numbers mean nothing, with one exception: the smallest
 * priority wins, and ours are smaller than those that IKE daemons compute (about 180,000 and more), so that no tunnel of theirs
 * takes our packets. A policy that a person makes without a priority has 0 and wins over ours.
 */
const reqidPrefix = 0x6377;
const priorityPrefix = 0x63;

/** The reqid of our SAs. */
export const ourReqid = 0x6377_0001;

/** Blocks everything that no policy of a pair matches, so its priority is larger. */
export const ourPriority = { pair: 0x6301, block: 0x63ff } as const;

export function isOurReqid(reqid: number): boolean {
  return reqid >>> 16 === reqidPrefix;
}

export function isOurPriority(priority: number): boolean {
  return priority >>> 8 === priorityPrefix;
}

const guardPrefix = 'causeway-';

/** The nftables table of ours that drops what IPsec does not protect, to this UDP port. */
export function guardTable(port: number): string {
  return `${guardPrefix}${port}`;
}

/** The port of such a table; undefined: the table is not ours. */
export function guardedPort(table: string): number | undefined {
  const port = Number(table.slice(guardPrefix.length));
  return Number.isInteger(port) && table === guardTable(port) ? port : undefined;
}
