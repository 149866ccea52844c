import type { RowKind } from '@causeway/model';
import type { Sums } from './sums.ts';

/** Ids of the rows of one kind that a step touched. */
export interface TouchedRows {
  /** Rows that did not exist before the step. */
  readonly added: readonly string[];
  /** Rows that existed before the step. The step changed or removed them. */
  readonly changed: readonly string[];
}

/**
 * One step of a network, from one of its revisions to the next. The entry names what the step touched. The content is in the
 * table, which has the newest.
 */
export interface HistoryEntry {
  readonly from: bigint;
  readonly to: bigint;
  /** Digests of the table before the step. A cursor continues from here only if its revision and its digest agree. */
  readonly sumsBefore: Sums;
  /** The network itself changed. */
  readonly isNetworkChanged: boolean;
  readonly rows: Readonly<Record<RowKind, TouchedRows>>;
}

/**
 * Most rows whose steps are kept for each network, so that an agent that was away briefly gets only what it missed. A step
 * counts as one row at least. More would rarely be shorter than the whole network.
 */
export const historyRows = 4096;

/** Limit for all networks of a manager together: an eighth of the 512 MiB that a manager may use. */
export const allHistoryBytes = 64 * 1024 * 1024;

/** Memory of a step: its objects and four big integers. */
export const entryOverhead = 700;

/** Memory of each row that a step names: an id, which a removed row leaves only here. */
export const rowBytes = 50;

/** Counts the bytes of the histories of all networks. Above the limit, the oldest steps of any network are dropped. */
export class HistoryBudget {
  readonly #most: number;
  /** The history of each kept step. In order of arrival. */
  readonly #owners = new Map<HistoryEntry, History>();
  #bytes = 0;

  constructor({ most }: { readonly most: number } = { most: allHistoryBytes }) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts a new step of the history, which does not contain the step yet. */
  take(owner: History, entry: HistoryEntry): void {
    this.#owners.set(entry, owner);
    this.#bytes += costOf(entry);
    for (const oldest of this.#owners.values()) {
      if (this.#bytes <= this.#most) break;
      oldest.dropOldest();
    }
  }

  /** A history has dropped the step. */
  give(entry: HistoryEntry): void {
    this.#owners.delete(entry);
    this.#bytes -= costOf(entry);
  }
}

/** An unbroken chain of the newest steps of one network. */
export class History {
  readonly #budget: HistoryBudget;
  readonly #entries: HistoryEntry[] = [];
  #rows = 0;

  constructor(budget: HistoryBudget) {
    this.#budget = budget;
  }

  push(entry: HistoryEntry): void {
    this.#rows += rowsOf(entry);
    this.#budget.take(this, entry);
    this.#entries.push(entry);
    while (this.#rows > historyRows) this.dropOldest();
  }

  /** False: the history is empty. */
  dropOldest(): boolean {
    const oldest = this.#entries.shift();
    if (oldest === undefined) return false;
    this.#rows -= rowsOf(oldest);
    this.#budget.give(oldest);
    return true;
  }

  /** The network was deleted, or its table begins anew. */
  clear(): void {
    while (this.dropOldest());
  }

  /** The steps from the revision to the present; undefined if no kept step begins at the revision. */
  since(revision: bigint): readonly HistoryEntry[] | undefined {
    const start = this.#entries.findLastIndex((entry) => entry.from === revision);
    return start < 0 ? undefined : this.#entries.slice(start);
  }
}

/** Ids of the rows that the steps touched. The value says whether the row existed before the first of these steps. */
export function touchedRows(steps: readonly HistoryEntry[], kind: RowKind): ReadonlyMap<string, boolean> {
  const touched = new Map<string, boolean>();
  for (const { rows } of steps) {
    const { added, changed } = rows[kind];
    for (const id of added) if (!touched.has(id)) touched.set(id, false);
    for (const id of changed) if (!touched.has(id)) touched.set(id, true);
  }
  return touched;
}

function rowsOf({ rows }: HistoryEntry): number {
  return Math.max(1, namedBy(rows));
}

function costOf({ rows }: HistoryEntry): number {
  return entryOverhead + rowBytes * namedBy(rows);
}

function namedBy(rows: HistoryEntry['rows']): number {
  let count = 0;
  for (const { added, changed } of Object.values(rows)) count += added.length + changed.length;
  return count;
}
