import type { AnyComparison, Stage, ValueDifference } from './kinds/kind.ts';
import { comparisons } from './kinds/table.ts';
import { isOverlayNetns } from './owner.ts';
import type { NetnsPath, State } from './state.ts';

/** A difference between found and desired state. Both the plan and the list of differences are made from these. */
export interface Mismatch {
  readonly netns: NetnsPath;
  readonly comparison: AnyComparison;
  readonly difference: ValueDifference<unknown, unknown>;
}

/** Desired namespaces that are missing, and overlay namespaces that are not desired. */
export function compareNamespaces(actual: State, desired: State): { missing: NetnsPath[]; extra: NetnsPath[] } {
  return {
    missing: [...desired.keys()].filter((netns) => !actual.has(netns)),
    extra: [...actual.keys()].filter((netns) => isOverlayNetns(netns) && !desired.has(netns)),
  };
}

/** All differences that are ours to repair, of one stage or of all. undefined: a pause. */
export function* compare(actual: State, desired: State, stage?: Stage): Generator<Mismatch | undefined, void> {
  const everywhere = new Set([...desired.keys(), ...actual.keys()]);
  for (const comparison of comparisons) {
    if (stage !== undefined && comparison.stage !== stage) continue;
    for (const netns of everywhere) {
      for (const difference of comparison.compare(actual.get(netns), desired.get(netns))) {
        if (difference === undefined) yield undefined;
        else if (difference.desired !== undefined || comparison.isOurs(netns, difference.key, difference.actual)) {
          yield { netns, comparison, difference };
        }
      }
    }
  }
}
