import type { Ip, Mac } from '@causeway/model';

/** The MAC of a neighbour, or the target of an FDB entry; "absent": there is no entry. */
export type EntryState = Mac | Ip | 'port' | 'absent';

/** An entry after a write. */
export interface WrittenEntry {
  /** Index of the entry's link. */
  readonly index: number;
  /** The MAC of an FDB entry, the address of a neighbour. */
  readonly key: Mac | Ip;
  readonly state: EntryState;
}

/**
 * Entries that this process has written, and whose events have not all arrived yet. An event that agrees with the last write
 * is not a change, whatever caused the event: the entry is as its writer knows. Any other event of the entry is a change.
 * So a change by another process is never missed, whether it came before the write, between two writes or after.
 */
export class OwnEntries {
  readonly #links = new Map<number, Map<Mac | Ip, EntryState>>();

  add({ index, key, state }: WrittenEntry): void {
    const entries = this.#links.get(index);
    if (entries === undefined) this.#links.set(index, new Map([[key, state]]));
    else entries.set(key, state);
  }

  has({ index, key, state }: WrittenEntry): boolean {
    return this.#links.get(index)?.get(key) === state;
  }

  /** Whether the process has written the entry, whatever its state. */
  names({ index, key }: Omit<WrittenEntry, 'state'>): boolean {
    return this.#links.get(index)?.has(key) === true;
  }

  /** A change of a link can remove its entries: from now on, every event about them is a change. */
  forgetLink(index: number): void {
    this.#links.delete(index);
  }

  forgetAll(): void {
    this.#links.clear();
  }
}
