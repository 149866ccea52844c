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

/** An unbroken chain of the newest steps. */
export class History {
  #entries: HistoryEntry[] = [];
  #bytes = 0;

  push(entry: HistoryEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.delta.length;
    let drop = 0;
    while (this.#entries.length - drop > historyEntries || this.#bytes > historyBytes) {
      const oldest = this.#entries[drop];
      if (oldest === undefined) break;
      this.#bytes -= oldest.delta.length;
      drop++;
    }
    if (drop > 0) this.#entries.splice(0, drop);
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
