import { byKey, nameOf } from './kinds/printing.ts';
import { kindOf, kinds, type Op } from './kinds/table.ts';
import type { State } from './state.ts';

/** The equivalent command, for people to read and to type. */
export function printOp(op: Op): string {
  if (op.op === 'netns.add') return `ip netns add ${nameOf(op.netns)}`;
  if (op.op === 'netns.delete') return `ip netns delete ${nameOf(op.netns)}`;
  return kindOf(op)?.print(op) ?? op.op;
}

/** A state as text, one object per line, sorted by name: for golden files and for people. */
export function printState(state: State): string {
  return [...state]
    .sort(byKey)
    .flatMap(([netns, namespace]) => [
      netns,
      ...kinds.flatMap((kind) => kind.list(namespace).map((line) => `  ${line}`)),
    ])
    .join('\n');
}
