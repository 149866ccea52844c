import { draftOf } from './draft.ts';
import { peerOf } from './kinds/link/link.ts';
import { isOverlayNetns } from './owner.ts';
import type { NetnsPath, State } from './state.ts';

/**
 * The part of the desired state that can be programmed. Causeway does not make containers' namespaces. If one is
 * missing, its content is left out, and so is the veth pair that leads there. The pair stays if it still leads there: a
 * namespace can outlive its path.
 */
export function reachablePart(actual: State, desired: State): { state: State; missing: readonly NetnsPath[] } {
  const missing = [...desired.keys()].filter((netns) => !isOverlayNetns(netns) && !actual.has(netns));
  if (missing.length === 0) return { state: desired, missing };
  const state = draftOf(desired);
  for (const netns of missing) state.delete(netns);
  for (const [netns, namespace] of state) {
    for (const link of namespace.links.values()) {
      const peer = peerOf(link);
      if (peer === undefined || !missing.includes(peer.netns)) continue;
      if (actual.get(netns)?.links.has(link.name) === true) continue;
      namespace.links.delete(link.name);
      namespace.fdb.delete(link.name);
    }
  }
  return { state, missing };
}
