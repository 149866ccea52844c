import type { RemovedManager } from '@causeway/proto/gen/causeway/v1/types.js';
import type { View } from '../store/view.ts';

/** The managers that no member may trust any more, in the form in which members learn of them. */
export function removedManagers(view: Pick<View, 'records'>): RemovedManager[] {
  return [...view.records('removed').all.values()].flatMap(({ value: { role, id, at, knownCa } }) =>
    role === 'manager' ? [{ name: id, atMs: BigInt(at), untilJoin: knownCa !== undefined }] : [],
  );
}
