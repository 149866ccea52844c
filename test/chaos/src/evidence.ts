import type { Entry } from './load/journal.ts';
import type { Revision } from './record/revision.ts';

/** What was recorded of a run. */
export interface Evidence {
  readonly journal: readonly Entry[];
  /** Every revision until all calls had ended and the cluster was whole. */
  readonly before: readonly Revision[];
  /** That moment, on the journal's clock. */
  readonly rested: number;
  /** The revisions after it, in which everything that was left was released. */
  readonly cleaned: readonly Revision[];
  /** The store's revision at the beginning, at `rested` and at the end, as the store itself reported it. */
  readonly marks: { readonly beginning: number; readonly rested: number; readonly end: number };
}

/** Why the evidence is too incomplete for a verdict. If nothing was seen, the run must not pass as correct. */
export function gapsOf({ journal, before, rested, cleaned, marks }: Evidence): readonly string[] {
  const done = journal.filter(({ act, outcome }) => act === 'claim' && outcome.kind === 'done');
  const open = journal.filter(({ call, end }) => call <= rested && end > rested);
  const last = before.at(-1)?.revision ?? marks.beginning;
  const end = cleaned.at(-1)?.revision ?? last;
  return [
    ...(journal.length === 0 ? ['the journal is empty: nothing was asked of the cluster'] : []),
    ...(journal.length > 0 && done.length === 0 ? ['no claim was ever done'] : []),
    ...(before.length === 0 ? ['the record of the store is empty'] : []),
    ...open.map(({ act, name }) => `${act} of ${name} was still under way when all calls were said to be over`),
    ...(last < marks.rested ? [`the record ends at revision ${last}, the store rested at ${marks.rested}`] : []),
    ...(end < marks.end ? [`the record ends at revision ${end}, the store at ${marks.end}`] : []),
  ];
}
