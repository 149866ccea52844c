import type { DeltaBytes } from './delta-bytes.ts';
import type { Sums } from './sums.ts';

/** One encoded step of a network, from one of its revisions to the next. */
export interface HistoryEntry {
  readonly from: bigint;
  readonly to: bigint;
  /** Digests of the table before the step. A cursor continues from here only if its revision and its digest agree. */
  readonly sumsBefore: Sums;
  readonly delta: DeltaBytes;
}

/**
 * Most steps kept for each network, so that an agent that was away briefly gets only what it missed. A delta of one endpoint
 * is about 150 bytes, so usually this number is the limit. `historyBytes` limits networks that change in bulk.
 */
export const historyEntries = 512;
export const historyBytes = 256 * 1024;

/** Limit for all networks of a manager together: an eighth of the 512 MiB that a manager may use. */
export const allHistoryBytes = 64 * 1024 * 1024;

/** Measured memory of a step besides its bytes: its objects, four big integers, the array around the bytes, its place. */
export const entryOverhead = 900;

/** Counts the bytes of the histories of all networks. Above the limit, the oldest steps of any network are dropped. */
export class HistoryBudget {
  readonly #most: number;
  /** For each kept step, by place: the history that has it. In order of arrival. */
  readonly #owners = new Map<number, History>();
  #bytes = 0;
  #next = 0;

  constructor({ most }: { readonly most: number } = { most: allHistoryBytes }) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a new step. Returns its place. */
  take(owner: History, bytes: number): number {
    const place = this.#next++;
    this.#owners.set(place, owner);
    this.#bytes += bytes;
    for (const [, oldest] of this.#owners) {
      if (this.#bytes <= this.#most) break;
      oldest.dropOldest();
    }
    return place;
  }

  give(place: number, bytes: number): void {
    if (this.#owners.delete(place)) this.#bytes -= bytes;
  }
}

/** An unbroken chain of the newest steps of one network. */
export class History {
  readonly #budget: HistoryBudget;
  readonly #entries: (HistoryEntry & { readonly place: number })[] = [];
  #bytes = 0;

  constructor(budget: HistoryBudget) {
    this.#budget = budget;
  }

  push(entry: HistoryEntry): void {
    this.#bytes += entry.delta.length;
    this.#entries.push({ ...entry, place: this.#budget.take(this, costOf(entry)) });
    while (this.#entries.length > historyEntries || this.#bytes > historyBytes) if (!this.dropOldest()) break;
  }

  /** False: the history is empty. */
  dropOldest(): boolean {
    const oldest = this.#entries.shift();
    if (oldest === undefined) return false;
    this.#bytes -= oldest.delta.length;
    this.#budget.give(oldest.place, costOf(oldest));
    return true;
  }

  /** The network was deleted, or its table begins anew. */
  clear(): void {
    while (this.dropOldest());
  }

  /**
   * The steps from a cursor to the present; undefined if no kept step begins at the cursor's revision with its digest.
   * `place`: index of the cursor's feed version among the versions.
   */
  since(revision: bigint, digest: bigint, place: number): readonly DeltaBytes[] | undefined {
    const start = this.#entries.findIndex((entry) => entry.from === revision);
    if (start < 0 || this.#entries[start]?.sumsBefore[place] !== digest) return undefined;
    return this.#entries.slice(start).map(({ delta }) => delta);
  }
}

function costOf({ delta }: HistoryEntry): number {
  return delta.length + entryOverhead;
}
