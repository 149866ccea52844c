import { keyText } from '../range.ts';
import type { Change, KeyValue, Store, StoreEvent } from '../store.ts';

/** Reads a follow to its end and keeps all its changes. */
export class Follower {
  readonly changes: Change[] = [];
  readonly state = new Map<string, string>();
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #wake: () => void = () => undefined;
  #ended = false;

  constructor(store: Store, prefix: string) {
    this.#done = this.#read(store.follow(prefix, this.#abort.signal));
  }

  get revision(): bigint {
    return this.changes.at(-1)?.revision ?? 0n;
  }

  get snapshots(): number {
    return this.changes.filter(({ kind }) => kind === 'snapshot').length;
  }

  get events(): readonly StoreEvent[] {
    return this.changes.flatMap((change) => (change.kind === 'events' ? change.events : []));
  }

  /** Resolves when a change has made the condition true; fails when the follow ends first. */
  async until(condition: (follower: Follower) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.#ended) throw new Error('the follow ended before it brought what was waited for');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Resolves when everything up to the revision has arrived. */
  reached(revision: bigint): Promise<void> {
    return this.until((follower) => follower.revision >= revision);
  }

  /** Resolves when the follow has ended by itself. */
  ended(): Promise<void> {
    return this.#done;
  }

  stop(): Promise<void> {
    this.#abort.abort();
    return this.#done;
  }

  async #read(changes: AsyncIterable<Change>): Promise<void> {
    try {
      for await (const change of changes) {
        this.changes.push(change);
        this.#apply(change);
        this.#wake();
      }
    } finally {
      this.#ended = true;
      this.#wake();
    }
  }

  #apply(change: Change): void {
    if (change.kind === 'snapshot') {
      this.state.clear();
      for (const kv of change.kvs) this.#put(kv);
    } else if (change.kind === 'events') {
      for (const event of change.events) {
        if (event.kind === 'put') this.#put(event.kv);
        else this.state.delete(event.key);
      }
    }
  }

  #put(kv: KeyValue): void {
    this.state.set(kv.key, keyText(kv.value));
  }
}
