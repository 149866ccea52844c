import { type Entry, makes, subjectOf } from '../load/journal.ts';
import type { Life } from '../record/lives.ts';
import type { Revision } from '../record/revision.ts';

/**
 * When revisions were written, as far as the evidence shows: before they were seen, and after the call was sent that made
 * them, or that made an earlier revision.
 */
export class WriteTimes {
  readonly #seen: readonly Pick<Revision, 'revision' | 'seen'>[];
  /** Revisions that are known to be later than a call, with the time of the call; both ascend. */
  readonly #after: readonly { readonly revision: number; readonly time: number }[];

  constructor(
    revisions: readonly Pick<Revision, 'revision' | 'seen'>[],
    lives: readonly Life[],
    journal: readonly Entry[],
  ) {
    this.#seen = revisions;
    this.#after = ascending(causes(lives, journal));
  }

  /** The earliest time at which a revision can have been written. */
  earliest(revision: number): number {
    const at = firstWhere(this.#after, (known) => known.revision > revision);
    return this.#after[at - 1]?.time ?? Number.NEGATIVE_INFINITY;
  }

  /** The revisions that may have been the newest of the store at some time between the two times. */
  between(from: number, to: number): { readonly first: number; readonly last: number } {
    // A revision is the newest until the next one is written, which is at the latest when the next one is seen.
    const next = firstWhere(this.#seen, ({ seen }) => seen >= from);
    const first = this.#seen[next - 1]?.revision ?? (this.#seen[0]?.revision ?? 1) - 1;
    const late = this.#after[firstWhere(this.#after, ({ time }) => time >= to)];
    const newest = this.#seen.at(-1)?.revision ?? first;
    return { first, last: late === undefined ? newest : Math.max(first, late.revision - 1) };
  }
}

type Cause = { readonly revision: number; readonly time: number };

/**
 * The call that made or ended a life was sent before it: if several calls are possible, the first. Refused calls do not
 * count.
 */
function causes(lives: readonly Life[], journal: readonly Entry[]): readonly Cause[] {
  const possible = journal.filter(({ outcome }) => outcome.kind !== 'refused');
  const made = earliestCalls(possible.filter(makes));
  const ended = earliestCalls(possible.filter((entry) => !makes(entry)));
  return lives.flatMap((life) => {
    const subject = subjectOf(life);
    const [begun, gone] = [made.get(subject), ended.get(subject)];
    return [
      ...(begun === undefined ? [] : [{ revision: life.born.revision, time: begun }]),
      ...(gone === undefined || life.died === undefined ? [] : [{ revision: life.died.revision, time: gone }]),
    ];
  });
}

function earliestCalls(entries: readonly Entry[]): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  for (const entry of entries) {
    const subject = subjectOf(entry);
    calls.set(subject, Math.min(entry.call, calls.get(subject) ?? entry.call));
  }
  return calls;
}

/** Only those whose time is later than all before. */
function ascending(all: readonly Cause[]): readonly Cause[] {
  let latest = Number.NEGATIVE_INFINITY;
  return [...all]
    .sort((a, b) => a.revision - b.revision)
    .filter(({ time }) => {
      if (time <= latest) return false;
      latest = time;
      return true;
    });
}

/** Index of the first item for which `holds` is true. It must then be true for all later items. */
function firstWhere<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let from = 0;
  for (let to = items.length; from < to; ) {
    const middle = (from + to) >> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) to = middle;
    else from = middle + 1;
  }
  return from;
}
