import type { Ip, Mac } from '@causeway/model';

/** What an entry is: the MAC of a neighbour, the target of an FDB entry; "absent": it is not there. */
export type EntryState = Mac | Ip | 'port' | 'absent';

/** An entry as a write has left it. */
export interface WrittenEntry {
  /** The index of its link. */
  readonly index: number;
  /** The MAC of an FDB entry, the address of a neighbour. */
  readonly key: Mac | Ip;
  readonly state: EntryState;
}

/**
 * Entries that this process has written and whose events were not all heard yet. An event that says what was written last is
 * no news, whatever caused the event: the entry is as its writer knows. Any other event of the entry is news, so a change by
 * another process is never lost, whether it came before the write, between two writes or after.
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

  /** Entries may have gone with a change of their link: what is said of them from here on is news. */
  forgetLink(index: number): void {
    this.#links.delete(index);
  }

  forgetAll(): void {
    this.#links.clear();
  }
}
