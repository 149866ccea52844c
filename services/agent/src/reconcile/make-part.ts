import {
  type Difference,
  differencesSliced,
  type Failure,
  isStructural,
  type Op,
  planSliced,
  type State,
} from '@causeway/datapath';
import { type Clock, type Log, Slices } from '@causeway/runtime';
import { onlyAdditions } from './additive-plan.ts';
import { logFailures, logOps } from './op-log.ts';
import type { DirtyPart, Part, Scope } from './scope.ts';

/**
 * The kernel may drop entries when a shared link changes. A second read finds this, and a third that nothing is missing.
 */
const mostRounds = 3;

export interface Made {
  /** The differences, if they are drift. */
  readonly found: readonly Difference[];
  readonly refused: readonly Failure[];
  /** Nothing was changed, because the differences concern more than the part. */
  readonly isMore: boolean;
  /** How long the first read of the kernel took, in ms. 0: the kernel was not read. */
  readonly readTook: number;
}

export interface MakeOptions {
  /** The intent does not explain the differences, so they are drift. */
  readonly isDrift: boolean;
  /** false: only what is missing is added. */
  readonly isConfirmed: boolean;
  /** Refusals of the pass before. A repeated refusal is not logged again. */
  readonly refusedBefore: readonly Failure[];
}

/** Makes the kernel hold a part of what is desired. `onRead`: called before each read of the kernel. */
export async function makePart(
  modules: { readonly scope: Scope; readonly clock: Clock; readonly log: Log; readonly onRead: () => void },
  part: Part,
  options: MakeOptions,
): Promise<Made> {
  const { scope, log, clock } = modules;
  const slices = new Slices(modules);
  let found: readonly Difference[] = [];
  let refused = options.refusedBefore;
  let readTook = 0;
  for (let round = 1; ; round++) {
    const began = clock.now();
    const actual = await actualOf(part, modules);
    if (round === 1) readTook = clock.now() - began;
    const steps = await slices.run(planSliced(actual, part.desired));
    if (part.kind === 'dirty' && isMore(part, actual, steps)) return { found, refused, isMore: true, readTook };
    if (part.kind === 'everything' && round === 1) scope.found?.(actual);
    if (options.isDrift && round === 1 && steps.length > 0) {
      const differences = await differencesOf(scope, actual, part.desired, slices);
      found = differences.filter((difference) => scope.answersFor(difference));
    }
    const ops = options.isConfirmed ? steps : onlyAdditions(steps, actual);
    logOps(log, ops);
    const before = refused;
    refused = await scope.apply(ops);
    logFailures(log, refused, before);
    if (round === mostRounds || !ops.some((op) => scope.disturbs?.(op) === true))
      return { found, refused, isMore: false, readTook };
  }
}

async function actualOf(part: Part, { scope, onRead }: { scope: Scope; onRead: () => void }): Promise<State> {
  if (part.kind === 'changed') return part.known;
  onRead();
  return await scope.read(part);
}

export async function differencesOf(
  scope: Pick<Scope, 'summary'>,
  actual: State,
  desired: State,
  slices: Slices,
): Promise<readonly Difference[]> {
  const found = await slices.run(differencesSliced(actual, desired));
  return scope.summary?.(found) ?? found;
}

/** A namespace is gone, or a link differs. What depends on it may be gone too. */
function isMore({ desired }: DirtyPart, actual: State, steps: readonly Op[]): boolean {
  return actual.size < desired.size || steps.some(isStructural);
}
