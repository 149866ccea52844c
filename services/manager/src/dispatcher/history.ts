/** One encoded step of a network, from one of its revisions to the next. */
export interface HistoryEntry {
  readonly from: bigint;
  readonly to: bigint;
  /** Of the table before the step: a cursor must agree in both to be continued from here. */
  readonly digestBefore: bigint;
  readonly bytes: Uint8Array;
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
    this.#bytes += entry.bytes.length;
    let drop = 0;
    while (this.#entries.length - drop > historyEntries || this.#bytes > historyBytes) {
      const oldest = this.#entries[drop];
      if (oldest === undefined) break;
      this.#bytes -= oldest.bytes.length;
      drop++;
    }
    if (drop > 0) this.#entries.splice(0, drop);
  }

  /** The steps that lead from a cursor to now; undefined when the cursor lies before what is kept, or on another road. */
  since(revision: bigint, digest: bigint): readonly HistoryEntry[] | undefined {
    const start = this.#entries.findIndex((entry) => entry.from === revision);
    return start >= 0 && this.#entries[start]?.digestBefore === digest ? this.#entries.slice(start) : undefined;
  }
}
