import type { NetworkId } from '@causeway/model';
import type { Batch } from '../wire/batch.ts';
import { equalBytes } from '../wire/bytes.ts';
import { beginning, comparePositions, isBehind, type Position } from '../wire/position.ts';
import type { RowChange } from '../wire/row.ts';
import { LiveSet } from './live-set.ts';

/** What became of a batch. */
export type Outcome =
  /** The table, and where it was parked the batches after, went forward. */
  | { readonly type: 'applied'; readonly changes: readonly RowChange[] }
  /** The table has been there. */
  | { readonly type: 'stale' }
  /** Batches before it are missing. */
  | { readonly type: 'parked' }
  /** The table differs from that of the manager: only a comparison helps. */
  | { readonly type: 'diverged' };

/** Batches that wait for those before them. More are dropped: a comparison repairs a larger gap at less cost. */
const maxParked = 64;

/**
 * Changes that the log keeps, unless the table is larger: then half as many as the table has rows. A host that lacks more gets
 * whole buckets, which are then the fewer bytes.
 */
const maxLog = 1_024;

/**
 * The table of one network: its rows at a position, and the batches that led there, for hosts that lack them. Batches must have been
 * verified. A batch that begins at or before the position and ends after it has all changes that the table lacks, whichever manager
 * has cut it so: that is why managers need no common numbering. Whether it was so, the root says.
 */
export class NetworkTable {
  readonly network: NetworkId;
  #position: Position | undefined;
  #live = LiveSet.empty();
  /** The newest batch: proof of the whole table. */
  #head: Batch | undefined;
  /** Each begins at or before the end of the one before it. */
  #log: Batch[] = [];
  #logged = 0;
  readonly #parked = new Map<string, Batch>();

  constructor(network: NetworkId) {
    this.network = network;
  }

  get position(): Position | undefined {
    return this.#position;
  }

  get live(): LiveSet {
    return this.#live;
  }

  get head(): Batch | undefined {
    return this.#head;
  }

  /** Batches are parked: peers have more than this table. */
  get isWaiting(): boolean {
    return this.#parked.size > 0;
  }

  offer(batch: Batch): Outcome {
    if (!isBehind(this.#position, batch.to)) return { type: 'stale' };
    if (!this.#continues(batch)) return this.#park(batch);
    const before = this.#live;
    if (!this.#apply(batch)) return { type: 'diverged' };
    this.#applyParked();
    return { type: 'applied', changes: this.#live.changesSince(before) };
  }

  /** Takes the whole table from a source that need not be trusted. Undefined: the rows are not those that the head proves. */
  install(head: Batch, live: LiveSet): readonly RowChange[] | undefined {
    if (!isBehind(this.#position, head.to)) return [];
    if (!equalBytes(live.root, head.root)) return undefined;
    const before = this.#live;
    [this.#position, this.#live, this.#head] = [head.to, live, head];
    [this.#log, this.#logged] = [[], 0];
    this.#applyParked();
    return this.#live.changesSince(before);
  }

  /** The batches that lead from there to here. Undefined: the log does not reach back so far. */
  since(position: Position | undefined): readonly Batch[] | undefined {
    const from = position ?? (this.#position && beginning(this.#position.epoch));
    if (from === undefined) return undefined;
    const start = this.#log.findIndex(({ to }) => comparePositions(from, to) < 0);
    const first = this.#log[start];
    if (first === undefined) return isBehind(from, this.#position) ? undefined : [];
    return isAtOrBefore(first.from, from) ? this.#log.slice(start) : undefined;
  }

  #continues(batch: Batch): boolean {
    return isAtOrBefore(batch.from, this.#position ?? beginning(batch.to.epoch));
  }

  #apply(batch: Batch): boolean {
    const live = this.#live.with(batch.changes);
    if (!equalBytes(live.root, batch.root)) return false;
    [this.#position, this.#live, this.#head] = [batch.to, live, batch];
    this.#log.push(batch);
    this.#logged += 1 + batch.changes.length;
    const most = Math.max(maxLog, live.size / 2);
    let dropped = 0;
    while (this.#logged > most && dropped < this.#log.length - 1) {
      this.#logged -= 1 + (this.#log[dropped++]?.changes.length ?? 0);
    }
    if (dropped > 0) this.#log.splice(0, dropped);
    return true;
  }

  #park(batch: Batch): Outcome {
    if (this.#parked.size < maxParked) this.#parked.set(keyOf(batch), batch);
    return { type: 'parked' };
  }

  #applyParked(): void {
    const sorted = [...this.#parked].sort(([, a], [, b]) => comparePositions(a.to, b.to));
    for (const [key, batch] of sorted) {
      if (isBehind(this.#position, batch.to) && !this.#continues(batch)) continue;
      this.#parked.delete(key);
      if (isBehind(this.#position, batch.to)) this.#apply(batch);
    }
  }
}

/** In one epoch. */
function isAtOrBefore(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && comparePositions(a, b) <= 0;
}

function keyOf({ from, to, raw }: Batch): string {
  // The last bytes of a signature tell two batches between the same positions apart.
  return `${from.revision}.${from.step} ${to.epoch}.${to.revision}.${to.step} ${raw.subarray(-4)}`;
}
