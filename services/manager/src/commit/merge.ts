import { mostInRecord } from '../events/record.ts';
import type { Compare, KeySpan, Write } from '../store/store.ts';

/** Changes that one caller wants written together, or not at all. */
export interface Transaction {
  readonly compares: readonly Compare[];
  readonly writes: readonly Write[];
  /** Encoded events. They are in the store if and only if the writes are. */
  readonly events: readonly string[];
}

/** etcd accepts requests of 1.5 MiB (--max-request-bytes). The rest is room for keys, compares and framing. */
const maxBytes = 1024 * 1024;

/** The committer's own compares: the fence, and that the record of events is the last. */
const ownCompares = 2;
/** The committer's own write: the record of events. */
const ownWrites = 1;

/**
 * The longest run of waiting transactions, in order of arrival, that one transaction of the store can carry with the same
 * result as one after the other: at most `maxOps` compares and as many writes. A later transaction never overtakes an
 * earlier one that touches the same keys: `rest` keeps its order, and a transaction goes to `rest` if it conflicts with any
 * transaction ahead of it, in `batch` or in `rest`.
 */
export function takeBatch<Waiting extends Transaction>(
  waiting: readonly Waiting[],
  maxOps: number,
): { readonly batch: readonly Waiting[]; readonly rest: Waiting[] } {
  const ahead = new AccessSet();
  const compares = new Set<string>();
  const batch: Waiting[] = [];
  const rest: Waiting[] = [];
  let writes = 0;
  let events = 0;
  let bytes = 0;
  for (const [i, next] of waiting.entries()) {
    const added = next.compares.filter((compare) => !compares.has(identity(compare)));
    const size = weigh(next);
    const fits =
      compares.size + added.length <= maxOps - ownCompares &&
      writes + next.writes.length <= maxOps - ownWrites &&
      events + next.events.length <= mostInRecord &&
      bytes + size <= maxBytes;
    if (!fits && batch.length > 0) return { batch, rest: [...rest, ...waiting.slice(i)] };
    if (ahead.conflicts(next)) {
      rest.push(next);
    } else {
      batch.push(next);
      for (const compare of added) compares.add(identity(compare));
      writes += next.writes.length;
      events += next.events.length;
      bytes += size;
    }
    ahead.add(next);
  }
  return { batch, rest };
}

/** A batch as one transaction. A compare that several transactions share appears once. */
export function merge(batch: readonly Transaction[]): Transaction {
  const compares = new Map<string, Compare>();
  for (const { compares: own } of batch) for (const compare of own) compares.set(identity(compare), compare);
  return {
    compares: [...compares.values()],
    writes: batch.flatMap(({ writes }) => writes),
    events: batch.flatMap(({ events }) => events),
  };
}

/** The keys that transactions read and write. Two transactions conflict when one writes what the other reads or writes. */
class AccessSet {
  readonly #written = new Set<string>();
  readonly #read = new Set<string>();
  readonly #quiet = new Set<string>();
  readonly #vacant: KeySpan[] = [];

  add({ compares, writes }: Transaction): void {
    for (const { key } of writes) this.#written.add(key);
    for (const compare of compares) {
      if (compare.kind === 'quiet') this.#quiet.add(compare.prefix);
      else if (compare.kind === 'vacant') this.#vacant.push(compare.span);
      else this.#read.add(compare.key);
    }
  }

  conflicts({ compares, writes }: Transaction): boolean {
    return (
      writes.some(({ key }) => this.#written.has(key) || this.#read.has(key) || this.#isQuiet(key)) ||
      compares.some((compare) => this.#isWritten(compare))
    );
  }

  #isQuiet(key: string): boolean {
    for (const prefix of this.#quiet) if (key.startsWith(prefix)) return true;
    return this.#vacant.some((span) => isIn(span, key));
  }

  #isWritten(compare: Compare): boolean {
    if (compare.kind !== 'quiet' && compare.kind !== 'vacant') return this.#written.has(compare.key);
    for (const key of this.#written)
      if (compare.kind === 'quiet' ? key.startsWith(compare.prefix) : isIn(compare.span, key)) return true;
    return false;
  }
}

function isIn({ from, before }: KeySpan, key: string): boolean {
  return key >= from && key < before;
}

function identity(compare: Compare): string {
  switch (compare.kind) {
    case 'absent':
      return `absent ${compare.key}`;
    case 'unchanged':
      return `unchanged ${compare.modRevision} ${compare.key}`;
    case 'created':
      return `created ${compare.createRevision} ${compare.key}`;
    case 'quiet':
      return `quiet ${compare.since} ${compare.prefix}`;
    case 'vacant':
      return `vacant ${compare.span.from} ${compare.span.before}`;
  }
}

/** Approximate size in bytes: keys are ASCII. */
function weigh({ writes, events }: Transaction): number {
  const eventBytes = events.reduce((sum, event) => sum + event.length, 0);
  return writes.reduce(
    (sum, write) => sum + write.key.length + (write.kind === 'put' ? write.value.length : 0),
    eventBytes,
  );
}
