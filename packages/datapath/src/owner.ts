import type { Scope } from './kernel.ts';
import type { OnLink } from './kinds/compare-maps.ts';
import type { Link, VethPeer } from './kinds/link/link.ts';
import type { Namespace } from './kinds/table.ts';
import { home, type NetnsPath } from './state.ts';

/*
 * What is ours in a kernel. What the kernel makes by itself never gets here: Kernel.read does not show it.
 *
 * | where                   | ours                                                  | not wanted, but found       |
 * | an overlay's namespace  | everything                                            | is removed                  |
 * | a container's namespace | the named interface, and on it what is wanted         | is the container's, is kept |
 * | the home namespace      | links named "cw-…", and what hangs on them            | is removed                  |
 *
 * Things that hang on no link have an owner rule of their own in their kind (`isOurs`): a mark, a number, a table's name.
 */

/** How names of our links in the home namespace begin, in which other programs have links too. */
const ourPrefix = 'cw-';

/**
 * Whether it is the path that an overlay is made at (`overlayNetns`), letter for letter: "cw-" and the first ten hex
 * digits of a network's id. A path is no proof of what is mounted there. Who builds a state keeps containers, which are
 * known by their identity, off these paths, and takes no namespace at one of them for an overlay that is a container's.
 */
export function isOverlayNetns(netns: NetnsPath): boolean {
  return /^\/run\/netns\/cw-[0-9a-f]{10}$/.test(netns);
}

/** Whether a link that is found in the namespace, and not wanted, is ours to remove. */
export function isOurLink(netns: NetnsPath, name: string): boolean {
  return isOverlayNetns(netns) || (netns === home && name.startsWith(ourPrefix));
}

/** The same for what hangs on a link. */
export function isOnOurLink(netns: NetnsPath, { dev }: OnLink<unknown>): boolean {
  return isOurLink(netns, dev);
}

/** What of a namespace must be read to compare it with what is wanted there. */
export function scopeOf(netns: NetnsPath, wanted: Namespace): Scope {
  const sysctls = [...wanted.sysctls.keys()];
  if (isOverlayNetns(netns)) return { sysctls };
  const links = [...wanted.links.keys()];
  return netns === home ? { links, orNamed: ourPrefix, sysctls } : { links, sysctls };
}

/** Whether a link is one that the scope is about. */
export function isInScope(name: string, { links, orNamed }: Scope): boolean {
  if (links === undefined) return true;
  return links.includes(name) || (orNamed !== undefined && name.startsWith(orNamed));
}

/**
 * Whether a link in a container's namespace, whose other end is not where it should be, is one we made (its other end
 * was taken away) rather than one that just has the name we want.
 */
export function isOurEnd(found: Link, wanted: VethPeer): boolean {
  return found.kind === 'veth' && found.mac === wanted.mac;
}
