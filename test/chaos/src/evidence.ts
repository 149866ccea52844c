import type { Entry } from './load/journal.ts';
import type { Revision } from './record/revision.ts';

/** What is known of a run. */
export interface Evidence {
  readonly journal: readonly Entry[];
  /** Every revision up to when all calls were over and the cluster whole. */
  readonly before: readonly Revision[];
  /** When that was, on the journal's clock. */
  readonly rested: number;
  /** The revisions since: everything left was released. */
  readonly cleaned: readonly Revision[];
  /** What the store itself said its revision was, in the same order. */
  readonly marks: { readonly beginning: number; readonly rested: number; readonly end: number };
}

/** Why the evidence cannot bear a verdict. That nothing was seen must not pass for that nothing is wrong. */
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
