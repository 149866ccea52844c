import type { Address } from '../swim/member.ts';

/** A line of the snapshot: what a node needs to join again after it was stopped. */
export type SnapshotRecord =
  | ({ readonly type: 'alive'; readonly name: string } & Address)
  | { readonly type: 'not-alive'; readonly name: string }
  /** The last times that were seen. */
  | { readonly type: 'clock' | 'event-clock' | 'query-clock'; readonly time: number }
  /** The node left, so it does not join again by itself. */
  | { readonly type: 'leave' };

type Clock = 'clock' | 'event-clock' | 'query-clock';

/** What a snapshot says. */
export interface Restored {
  readonly alive: ReadonlyMap<string, Address>;
  readonly times: Readonly<Record<Clock, number>>;
}

const noTimes = { clock: 0, 'event-clock': 0, 'query-clock': 0 };

/** `rejoins`: a node joins again also after it left. */
export function replayed(records: readonly SnapshotRecord[], rejoins: boolean): Restored {
  const alive = new Map<string, Address>();
  let times = noTimes;
  for (const record of records) {
    if (record.type === 'alive') alive.set(record.name, { addr: record.addr, port: record.port });
    else if (record.type === 'not-alive') alive.delete(record.name);
    else if (record.type !== 'leave') times = { ...times, [record.type]: record.time };
    else if (!rejoins) {
      alive.clear();
      times = noTimes;
    }
  }
  return { alive, times };
}

/** Records that the snapshot may always have before it is written anew, and how many more for each live node. */
const freeRecords = 2000;
const recordsPerNode = 4;

/** The snapshot as it is in the file: says what to write. */
export class Snapshot {
  readonly #alive: Map<string, Address>;
  readonly #write: (how: 'append' | 'replace', records: readonly SnapshotRecord[]) => void;
  #times: Readonly<Record<Clock, number>>;
  #count = 0;
  #hasLeft = false;

  constructor(restored: Restored, write: (how: 'append' | 'replace', records: readonly SnapshotRecord[]) => void) {
    this.#alive = new Map(restored.alive);
    this.#times = restored.times;
    this.#write = write;
  }

  /** Writes all that counts, without what no longer holds. */
  compact(): void {
    const records: SnapshotRecord[] = [...this.#alive].map(([name, address]) => ({ type: 'alive', name, ...address }));
    for (const type of ['clock', 'event-clock', 'query-clock'] as const) {
      records.push({ type, time: this.#times[type] });
    }
    this.#count = records.length;
    this.#write('replace', records);
  }

  alive(name: string, { addr, port }: Address): void {
    if (this.#hasLeft) return;
    this.#alive.set(name, { addr, port });
    this.#append({ type: 'alive', name, addr, port });
  }

  notAlive(name: string): void {
    if (!this.#hasLeft && this.#alive.delete(name)) this.#append({ type: 'not-alive', name });
  }

  /** `time`: the last that was seen. */
  clock(type: Clock, time: number): void {
    if (this.#hasLeft || time <= this.#times[type]) return;
    this.#times = { ...this.#times, [type]: time };
    this.#append({ type, time });
  }

  /** The node leaves: what it sees from now on is its own going. */
  leave(): void {
    if (!this.#hasLeft) this.#append({ type: 'leave' });
    this.#hasLeft = true;
  }

  #append(record: SnapshotRecord): void {
    this.#count++;
    if (record.type !== 'leave' && this.#count > freeRecords + recordsPerNode * this.#alive.size) this.compact();
    else this.#write('append', [record]);
  }
}
