import { type Draft, draftOf, newNamespace } from './draft.ts';
import { kindOf, kinds, type Op } from './kinds/table.ts';
import type { NetnsPath, State } from './state.ts';

/**
 * What the kernel will hold after ops on namespaces and on what carries other things: all that it drops by itself when one
 * of them goes or changes. A plan compares the rest with this instead of what was read, so one pass puts everything back.
 */
export function forecast(actual: State, ops: readonly Op[]): State {
  if (ops.length === 0) return actual;
  const state = draftOf(actual);
  for (const op of ops) foresee(state, op);
  return state;
}

function foresee(state: Map<NetnsPath, Draft>, op: Op): void {
  if (op.op === 'netns.add') state.set(op.netns, newNamespace());
  else if (op.op === 'netns.delete') state.delete(op.netns);
  for (const { netns, dev, what } of kindOf(op)?.foresee?.(state, op) ?? []) {
    const namespace = state.get(netns);
    if (namespace !== undefined) for (const kind of kinds) kind.follow?.(namespace, dev, what);
  }
}
