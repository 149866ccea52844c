import { longestGap, quantile } from '../gaps.ts';
import type { Entry } from '../load/journal.ts';
import type { Read } from '../load/reads.ts';
import type { Injection } from './floors.ts';
import { type FaultKind, faultKinds } from './plan.ts';

/** How faults of one kind affected callers; faults at the same time count too; ms. */
export interface Impact {
  readonly kind: FaultKind;
  readonly count: number;
  /** The longest time without a successful claim, for each fault. */
  readonly claims: { readonly p50: number; readonly longest: number };
  /** The longest read, answered or not, for each fault. */
  readonly reads: { readonly p50: number; readonly longest: number; readonly failed: number };
}

/** How long after a fault its consequences still count for it, ms. */
const aftermath = 2_000;

export function impactsOf(
  injections: readonly Injection[],
  journal: readonly Entry[],
  reads: readonly Read[],
): readonly Impact[] {
  return faultKinds.flatMap((kind) => {
    const own = injections.filter((injection) => injection.kind === kind);
    if (own.length === 0) return [];
    const gaps = own.map(({ from, to }) => longestGap(journal, from - aftermath, to + aftermath));
    const beside = own.map(({ from, to }) => reads.filter((read) => read.call < to + aftermath && read.end > from));
    const longest = beside.map((some) => Math.max(0, ...some.map(({ call, end }) => end - call)));
    const failed = new Set(beside.flat().filter(({ failure }) => failure !== undefined)).size;
    return [
      {
        kind,
        count: own.length,
        claims: { p50: quantile(gaps, 0.5), longest: Math.max(...gaps) },
        reads: { p50: quantile(longest, 0.5), longest: Math.max(...longest), failed },
      },
    ];
  });
}
