import { OrderedKeys } from './ordered-keys.ts';
import type { Compare, KeySpan, KeyValue, StoreEvent, Write } from './store.ts';

/** One transaction's events; all have this revision. */
interface Entry {
  readonly revision: bigint;
  readonly events: readonly StoreEvent[];
}

/** Content of a backup of a store: all keys at one revision. */
export interface HistorySnapshot {
  readonly revision: bigint;
  readonly kvs: readonly KeyValue[];
}

/** Keys with their history, as etcd keeps them: one revision for each transaction that writes, kept until compacted. */
export class History {
  readonly #keys = new Map<string, KeyValue>();
  readonly #order = new OrderedKeys();
  readonly #entries: Entry[] = [];
  /** etcd's first revision, of the empty store. */
  #revision = 1n;
  #compacted = 0n;

  /** Begins at the revision of the snapshot. Earlier revisions cannot be followed. */
  constructor(snapshot?: HistorySnapshot) {
    if (snapshot === undefined) return;
    for (const kv of snapshot.kvs) {
      this.#keys.set(kv.key, kv);
      this.#order.add(kv.key);
    }
    this.#revision = snapshot.revision;
    this.#compacted = snapshot.revision;
  }

  snapshot(): HistorySnapshot {
    return { revision: this.#revision, kvs: [...this.#keys.values()] };
  }

  get revision(): bigint {
    return this.#revision;
  }

  /** Revisions up to this one can no longer be followed. */
  get compacted(): bigint {
    return this.#compacted;
  }

  get(key: string): KeyValue | undefined {
    return this.#keys.get(key);
  }

  /** In key order. */
  list(prefix: string): readonly KeyValue[] {
    return this.#read(this.#order.under(prefix));
  }

  /** In key order. */
  in(span: KeySpan): readonly KeyValue[] {
    return this.#read(this.#order.in(span));
  }

  /** Events of whole revisions after this one, in order, for keys under the prefix. */
  since(revision: bigint, prefix: string): readonly StoreEvent[] {
    const from = this.#entries.findLastIndex((entry) => entry.revision <= revision) + 1;
    return this.#entries
      .slice(from)
      .flatMap((entry) => entry.events.filter((event) => keyOf(event).startsWith(prefix)));
  }

  holds(compare: Compare): boolean {
    switch (compare.kind) {
      case 'absent':
        return !this.#keys.has(compare.key);
      case 'unchanged':
        return (this.#keys.get(compare.key)?.modRevision ?? 0n) === compare.modRevision;
      case 'created':
        return (this.#keys.get(compare.key)?.createRevision ?? 0n) === compare.createRevision;
      case 'quiet':
        return this.list(compare.prefix).every((kv) => kv.modRevision <= compare.since);
      case 'vacant':
        return !this.#order.hasIn(compare.span);
    }
  }

  /** Writes one transaction. The deletion of an absent key makes no event, and without an event there is no new revision. */
  write(writes: readonly Write[]): void {
    const revision = this.#revision + 1n;
    const events: StoreEvent[] = [];
    for (const write of writes) {
      const before = this.#keys.get(write.key);
      if (write.kind === 'put') {
        const createRevision = before?.createRevision ?? revision;
        const kv: KeyValue = { key: write.key, value: write.value.slice(), createRevision, modRevision: revision };
        this.#keys.set(write.key, kv);
        this.#order.add(write.key);
        events.push({ kind: 'put', kv });
      } else if (before !== undefined) {
        this.#keys.delete(write.key);
        this.#order.delete(write.key);
        events.push({ kind: 'delete', key: write.key, modRevision: revision });
      }
    }
    if (events.length === 0) return;
    this.#revision = revision;
    this.#entries.push({ revision, events });
  }

  #read(keys: readonly string[]): readonly KeyValue[] {
    return keys.flatMap((key) => this.#keys.get(key) ?? []);
  }

  compact(revision: bigint): void {
    this.#compacted = revision;
    this.#entries.splice(0, this.#entries.findLastIndex((entry) => entry.revision <= revision) + 1);
  }
}

function keyOf(event: StoreEvent): string {
  return event.kind === 'put' ? event.kv.key : event.key;
}
