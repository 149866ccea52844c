import type { Lock, LockOutcome } from '../lock.ts';

/** The held locks of one simulated machine: the holder's pid by the lock's name. */
export type LockTable = Map<string, number>;

/** A lock of a process on a simulated machine. */
export class MemoryLock implements Lock {
  readonly #table: LockTable;
  readonly #name: string;
  readonly #pid: number;

  constructor(table: LockTable, name: string, pid: number) {
    this.#table = table;
    this.#name = name;
    this.#pid = pid;
  }

  async take(): Promise<LockOutcome> {
    const pid = this.#table.get(this.#name);
    if (pid !== undefined) return { kind: 'taken', pid };
    this.#table.set(this.#name, this.#pid);
    return { kind: 'held', release: () => void this.#table.delete(this.#name) };
  }
}
