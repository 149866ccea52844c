import { type Draft, draftOf, newNamespace } from './draft.ts';
import { kindOf, kinds, type Op } from './kinds/table.ts';
import type { NetnsPath, State } from './state.ts';

/**
 * The kernel's state after ops on namespaces and links, including everything that the kernel removes by itself when a
 * link or namespace goes or changes. A plan compares the rest with this state, not with what was read, so one pass
 * restores all.
 */
export function simulate(actual: State, ops: readonly Op[]): State {
  if (ops.length === 0) return actual;
  const state = draftOf(actual);
  for (const op of ops) simulateOp(state, op);
  return state;
}

function simulateOp(state: Map<NetnsPath, Draft>, op: Op): void {
  if (op.op === 'netns.add') state.set(op.netns, newNamespace());
  else if (op.op === 'netns.delete') state.delete(op.netns);
  for (const { netns, dev, what } of kindOf(op)?.simulate?.(state, op) ?? []) {
    const namespace = state.get(netns);
    if (namespace !== undefined) for (const kind of kinds) kind.follow?.(namespace, dev, what);
  }
}
