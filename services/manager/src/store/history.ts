import type { Compare, KeyValue, StoreEvent, Write } from './store.ts';

/** One transaction's events; all have this revision. */
interface Entry {
  readonly revision: bigint;
  readonly events: readonly StoreEvent[];
}

/** Multi-version keys as etcd keeps them: one revision per writing transaction, the past until it is compacted. */
export class History {
  readonly #keys = new Map<string, KeyValue>();
  readonly #entries: Entry[] = [];
  /** etcd's first revision, of the empty store. */
  #revision = 1n;
  #compacted = 0n;

  get revision(): bigint {
    return this.#revision;
  }

  /** What was written up to here can no longer be followed. */
  get compacted(): bigint {
    return this.#compacted;
  }

  get(key: string): KeyValue | undefined {
    return this.#keys.get(key);
  }

  list(prefix: string): readonly KeyValue[] {
    const kvs = [...this.#keys.values()].filter(({ key }) => key.startsWith(prefix));
    return kvs.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Whole revisions after this one, in order, of the prefix only. */
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
        return [...this.#keys.values()].every(
          (kv) => kv.modRevision <= compare.since || !kv.key.startsWith(compare.prefix),
        );
    }
  }

  /** One transaction's writes; deleting what is not there is nothing, and nothing takes no revision. */
  write(writes: readonly Write[]): void {
    const revision = this.#revision + 1n;
    const events: StoreEvent[] = [];
    for (const write of writes) {
      const before = this.#keys.get(write.key);
      if (write.kind === 'put') {
        const createRevision = before?.createRevision ?? revision;
        const kv: KeyValue = { key: write.key, value: write.value.slice(), createRevision, modRevision: revision };
        this.#keys.set(write.key, kv);
        events.push({ kind: 'put', kv });
      } else if (before !== undefined) {
        this.#keys.delete(write.key);
        events.push({ kind: 'delete', key: write.key, modRevision: revision });
      }
    }
    if (events.length === 0) return;
    this.#revision = revision;
    this.#entries.push({ revision, events });
  }

  compact(revision: bigint): void {
    this.#compacted = revision;
    this.#entries.splice(0, this.#entries.findLastIndex((entry) => entry.revision <= revision) + 1);
  }
}

function keyOf(event: StoreEvent): string {
  return event.kind === 'put' ? event.kv.key : event.key;
}
