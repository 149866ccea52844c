import type { Scope } from './kernel.ts';
import type { Link, Namespace, NetnsPath, VethPeer } from './state.ts';

/*
 * What is ours in a kernel. What the kernel makes by itself never gets here: Kernel.read does not show it.
 *
 * | where                   | ours                                                  | not wanted, but found       |
 * | an overlay's namespace  | everything                                            | is removed                  |
 * | a container's namespace | the named interface, and on it what is wanted         | is the container's, is kept |
 */

/**
 * Whether it is the path that an overlay is made at (`overlayNetns`), letter for letter: "cw-" and the first ten hex
 * digits of a network's id. A path is no proof of what is mounted there. Who builds a state keeps containers, which are
 * known by their identity, off these paths, and takes no namespace at one of them for an overlay that is a container's.
 */
export function isOverlayNetns(netns: NetnsPath): boolean {
  return /^\/run\/netns\/cw-[0-9a-f]{10}$/.test(netns);
}

/** What of a namespace must be read to compare it with what is wanted there. */
export function scopeOf(netns: NetnsPath, wanted: Namespace): Scope {
  const sysctls = [...wanted.sysctls.keys()];
  return isOverlayNetns(netns) ? { sysctls } : { links: [...wanted.links.keys()], sysctls };
}

/**
 * Whether a link in a container's namespace, whose other end is not where it should be, is one we made (its other end
 * was taken away) rather than one that just has the name we want.
 */
export function isOurEnd(found: Link, wanted: VethPeer): boolean {
  return found.kind === 'veth' && found.mac === wanted.mac;
}
