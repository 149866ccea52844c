import type { DeltaBytes } from './delta-bytes.ts';
import type { Sums } from './sums.ts';

/** One encoded step of a network, from one of its revisions to the next. */
export interface HistoryEntry {
  readonly from: bigint;
  readonly to: bigint;
  /** Of the table before the step: a cursor must agree in both to be continued from here. */
  readonly sumsBefore: Sums;
  readonly delta: DeltaBytes;
}

/**
 * Kept per network so that an agent which was away briefly gets what it missed instead of everything. A delta of one
 * endpoint is about 150 bytes, so the count is what usually bounds; the bytes bound networks that change in bulk.
 */
export const historyEntries = 512;
export const historyBytes = 256 * 1024;

/** Of all networks together, on every manager: an eighth of the 512 MiB that one may have. */
export const allHistoryBytes = 64 * 1024 * 1024;

/** What a step costs beside its bytes, as measured: its objects, four big integers, the array around the bytes, its place. */
export const entryOverhead = 900;

/** The bytes of all networks' histories. When there are too many the oldest steps go, of whichever network. */
export class HistoryBudget {
  readonly #most: number;
  /** Whose oldest step each is, in the order in which they came. */
  readonly #owners = new Map<number, History>();
  #bytes = 0;
  #next = 0;

  constructor({ most }: { readonly most: number } = { most: allHistoryBytes }) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The place of a step that came now. */
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

  /** False: there is none. */
  dropOldest(): boolean {
    const oldest = this.#entries.shift();
    if (oldest === undefined) return false;
    this.#bytes -= oldest.delta.length;
    this.#budget.give(oldest.place, costOf(oldest));
    return true;
  }

  /** The network is gone, or begins anew. */
  clear(): void {
    while (this.dropOldest());
  }

  /**
   * The steps that lead from a cursor to now; undefined when the cursor lies before what is kept, or on another road.
   * `place` is that of the cursor's feed version among the versions.
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
