import { checkHistory } from './history/check.ts';
import { type Entry, operationsOf, readsOf, unexplained } from './load/journal.ts';
import { Audit } from './record/audit.ts';
import type { Revision } from './record/revision.ts';

export interface Evidence {
  readonly journal: readonly Entry[];
  /** Every revision up to when all calls were over and the cluster whole. */
  readonly before: readonly Revision[];
  /** When that was, on the journal's clock. */
  readonly rested: number;
  /** The revisions since: everything left was released. */
  readonly cleaned: readonly Revision[];
}

/** What is wrong with a run; all empty when nothing is. */
export interface Verdict {
  readonly notLinearizable: readonly string[];
  /** At any revision. */
  readonly inconsistent: readonly string[];
  /** Acknowledged, not released, and not there. */
  readonly lost: readonly string[];
  /** There, and nobody claimed it; or claimed by what is not there; or left after everything was released. */
  readonly leaked: readonly string[];
  readonly unexplained: readonly string[];
}

export function judge({ journal, before, rested, cleaned }: Evidence): Verdict {
  const audit = new Audit();
  for (const revision of before) audit.take(revision);
  const { endpoints } = audit;
  const during = journal.filter(({ call }) => call <= rested);
  const lost = lostClaims(during, new Set(endpoints.map(({ name }) => name)));
  const leaked = [
    ...ghosts(
      during,
      endpoints.map(({ name }) => name),
    ),
    ...audit.leaks(),
  ];
  const operations = operationsOf(during, audit.born);
  const reads = readsOf(
    operations.map(({ key }) => key),
    endpoints,
    rested,
  );

  for (const revision of cleaned) audit.take(revision);
  const after = audit.endpoints.map(({ name }) => `endpoint ${name} is left after everything was released`);
  const later = operationsOf(
    journal.filter(({ call }) => call > rested),
    audit.born,
  );
  return {
    notLinearizable: checkHistory([...operations, ...reads, ...later]),
    inconsistent: audit.faults,
    lost,
    leaked: [...leaked, ...after, ...audit.leaks()],
    unexplained: unexplained(journal),
  };
}

/** Claims that were acknowledged and that nobody has tried to release must be there. */
function lostClaims(journal: readonly Entry[], there: ReadonlySet<string>): readonly string[] {
  const released = new Set(journal.filter(({ act }) => act === 'release').map(({ name }) => name));
  return journal
    .filter(
      ({ act, name, outcome }) => act === 'claim' && outcome.kind === 'done' && !released.has(name) && !there.has(name),
    )
    .map(({ name }) => `claim ${name} was acknowledged and is not there`);
}

/** Endpoints that no claim made: all were refused, or nobody ever asked. */
function ghosts(journal: readonly Entry[], names: readonly string[]): readonly string[] {
  const claims = journal.filter(({ act, outcome }) => act === 'claim' && outcome.kind !== 'refused');
  const made = new Set(claims.map(({ name }) => name));
  return names.filter((name) => !made.has(name)).map((name) => `endpoint ${name} is there, and no claim made it`);
}
