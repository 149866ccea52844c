import { kindOf, type Op } from './kinds/table.ts';
import type { State } from './state.ts';

/** The link that the op is about, if it is about one. */
export function deviceOf(op: Op): string | undefined {
  return kindOf(op)?.device(op);
}

/** Whether the op is about a namespace or a link, and not just about what hangs on one. */
export function isStructural(op: Op): boolean {
  const kind = kindOf(op);
  return kind === undefined || kind.stage === 'link';
}

/**
 * What of the op only adds to what was found, and takes nothing away from traffic that flows. For as long as what is wanted
 * may be a moment older than what the kernel was programmed with: what is there is then more likely right.
 */
export function additive(op: Op, actual: State): Op | undefined {
  if (op.op === 'netns.add') return op;
  return kindOf(op)?.additive(op, actual.get(op.netns));
}
