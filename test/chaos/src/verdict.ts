import { type Evidence, gapsOf } from './evidence.ts';
import { checkHistory } from './history/check.ts';
import { checkLives } from './history/lives.ts';
import { unexplained } from './history/refusals.ts';
import { WriteTimes } from './history/window.ts';
import { operationsOf, readsOf } from './load/journal.ts';
import { Audit } from './record/audit.ts';

/** The faults of a run; all empty: none was found. */
export interface Verdict {
  /** Why the evidence is too incomplete for a verdict. */
  readonly incomplete: readonly string[];
  readonly notLinearizable: readonly string[];
  /** Inconsistencies at any revision. */
  readonly inconsistent: readonly string[];
  /** Acknowledged and not released, but missing. */
  readonly lost: readonly string[];
  /** Made or removed without a call, before the call, or twice; or answered with something untrue. */
  readonly unasked: readonly string[];
  /** Left after everything was released, including claims that cool forever. */
  readonly leaked: readonly string[];
  /** Refused for a reason that the store does not show. */
  readonly unexplained: readonly string[];
}

export function judge(evidence: Evidence): Verdict {
  const { journal, before, rested, cleaned, marks } = evidence;
  const audit = new Audit(marks.beginning);
  for (const revision of before) audit.take(revision);
  // The lives as they were at rest, before the clean-up ends them.
  const lives = audit.lives.map((life) => ({ ...life }));
  const living = lives.filter(({ died }) => died === undefined);
  const during = journal.filter(({ call }) => call <= rested);
  const operations = operationsOf(during, lives);
  const keys = [...operations.map(({ key }) => key), ...lives.flatMap(({ held }) => held)];
  const atRest = new WriteTimes(before, lives, during);
  const { lost } = checkLives(lives, during, atRest);

  for (const revision of cleaned) audit.take(revision);
  const times = new WriteTimes([...before, ...cleaned], audit.lives, journal);
  const later = operationsOf(
    journal.filter(({ call }) => call > rested),
    audit.lives,
  );
  return {
    incomplete: gapsOf(evidence),
    notLinearizable: checkHistory([...operations, ...readsOf(keys, living, rested), ...later]),
    inconsistent: audit.faults,
    lost,
    unasked: checkLives(audit.lives, journal, times).unasked,
    leaked: audit.remains(),
    unexplained: unexplained({ journal, audit, times }),
  };
}
