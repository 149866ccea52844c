import type { AnyComparison, Sides, Stage } from './kinds/kind.ts';
import { comparisons } from './kinds/table.ts';
import { isOverlayNetns } from './owner.ts';
import type { NetnsPath, State } from './state.ts';

/** One thing of a kernel that is not as it should be. The plan and the list of differences are both made of these. */
export interface Mismatch {
  readonly netns: NetnsPath;
  readonly comparison: AnyComparison;
  readonly sides: Sides<unknown, unknown>;
}

/** Namespaces that are missing; overlay namespaces that are not wanted. */
export function compareNamespaces(actual: State, desired: State): { missing: NetnsPath[]; extra: NetnsPath[] } {
  return {
    missing: [...desired.keys()].filter((netns) => !actual.has(netns)),
    extra: [...actual.keys()].filter((netns) => isOverlayNetns(netns) && !desired.has(netns)),
  };
}

/** Everything that is not as it should be and is our business; of one stage, or of all. undefined: a pause. */
export function* compare(actual: State, desired: State, stage?: Stage): Generator<Mismatch | undefined, void> {
  const everywhere = new Set([...desired.keys(), ...actual.keys()]);
  for (const comparison of comparisons) {
    if (stage !== undefined && comparison.stage !== stage) continue;
    for (const netns of everywhere) {
      for (const sides of comparison.compare(actual.get(netns), desired.get(netns))) {
        if (sides === undefined) yield undefined;
        else if (sides.intended !== undefined || comparison.isOurs(netns, sides.key, sides.actual)) {
          yield { netns, comparison, sides };
        }
      }
    }
  }
}
