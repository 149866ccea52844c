import { firstNodeIndex, type NodeId, type NodeKeys } from '@causeway/model';
import type { Versioned } from './kind.ts';
import { MapIndex } from './map-index.ts';

/** The keys of all hosts, and which numbers in SPIs are taken. */
export class NodeKeysIndex extends MapIndex<'id', NodeId, Versioned<NodeKeys>> {
  /** The smallest number above all that hosts have. A number is not given again soon after its host is gone. */
  get nextIndex(): number {
    let next = firstNodeIndex;
    for (const { value } of this.all.values()) next = Math.max(next, value.index + 1);
    return next;
  }
}
