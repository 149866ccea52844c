import { kindOf, type Op } from './kinds/table.ts';
import type { State } from './state.ts';

/** The link that the op is about; undefined: none. */
export function deviceOf(op: Op): string | undefined {
  return kindOf(op)?.device(op);
}

/** Whether the op is about a namespace or a link, and not only about what belongs to a link. */
export function isStructural(op: Op): boolean {
  const kind = kindOf(op);
  return kind === undefined || kind.stage === 'link';
}

/**
 * The part of the op that only adds to what was found, and does not disturb traffic that flows. Used as long as the desired
 * state may be older than the state that the kernel was last programmed with: what the kernel has is then more likely right.
 */
export function additive(op: Op, actual: State): Op | undefined {
  if (op.op === 'netns.add') return op;
  return kindOf(op)?.additive(op, actual.get(op.netns));
}
