import { type Clock, type Duration, type Log, type Startable, seconds } from '@causeway/runtime';
import type { Keys } from '../store/keys.ts';
import type { KeyValue, Store, Write } from '../store/store.ts';
import type { Writer } from '../writer/writer.ts';
import { EventArchive, encodeHorizon } from './archive.ts';

export interface EventRetentionParts {
  readonly store: Pick<Store, 'get' | 'page' | 'txn' | 'maxTxnOps'>;
  readonly keys: Keys;
  /** All events are the leader's to write. */
  readonly writer: Pick<Writer, 'told'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface EventRetentionSettings {
  /** What is older goes. */
  readonly history: Duration;
  /** The oldest go when there are more, whatever their age: at about 400 bytes each, the default are 80 MB of the store's 2 GB. */
  readonly limit: number;
}

const period = seconds(60);

/** How often it is looked whether there may be too many already. */
const lookEvery = seconds(5);

/**
 * While this manager leads: takes old events out of the store, by age and by number. Not by leases: one that ends takes all
 * its keys in one go, starts anew with each etcd leader, and knows nothing of numbers.
 */
export class EventRetention implements Startable {
  readonly #parts: EventRetentionParts;
  readonly #settings: EventRetentionSettings;
  readonly #archive: EventArchive;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #term: bigint | undefined;
  /** How many there were in the store when so many had been told. Undefined: not counted in this term. */
  #counted: { readonly kept: number; readonly told: number } | undefined;

  constructor(parts: EventRetentionParts, settings: EventRetentionSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#archive = new EventArchive(parts);
  }

  async start(): Promise<void> {
    this.#running = this.#run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** follower -> leader */
  lead(term: bigint): void {
    this.#term = term;
    this.#counted = undefined;
  }

  /** leader -> follower */
  follow(): void {
    this.#term = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    let due = clock.now() + period;
    while (!signal.aborted) {
      await clock.sleep(lookEvery, signal);
      if (this.#term === undefined || signal.aborted || (clock.now() < due && !this.#mayBeTooMany)) continue;
      due = clock.now() + period;
      try {
        await this.#prune(this.#term);
      } catch (error) {
        log.warn('event.not-pruned', { error });
      }
    }
  }

  /** A tenth more than is wanted, so that it is not looked for all the time. */
  get #mayBeTooMany(): boolean {
    if (this.#counted === undefined) return false;
    const { kept, told } = this.#counted;
    return kept + this.#parts.writer.told - told > this.#settings.limit * 1.1;
  }

  async #prune(term: bigint): Promise<void> {
    const { keys, clock, writer } = this.#parts;
    const { history, limit } = this.#settings;
    const oldest = keys.placeForEvents(Math.max(0, Math.trunc(clock.wall()) - history));
    for await (const kvs of this.#archive.list(oldest)) if (!(await this.#erase(term, kvs))) return;
    if (this.#counted !== undefined && !this.#mayBeTooMany) return;
    const { told } = writer;
    let kept = 0;
    for await (const kvs of this.#archive.list()) kept += this.#count(kvs);
    for await (const kvs of this.#archive.list()) {
      if (kept <= limit) break;
      const gone = this.#oldest(kvs, kept - limit);
      if (!(await this.#erase(term, gone))) return;
      kept -= this.#count(gone);
    }
    this.#counted = { kept, told };
  }

  /** False when this leader's term is over. */
  async #erase(term: bigint, kvs: readonly KeyValue[]): Promise<boolean> {
    const { store } = this.#parts;
    const atOnce = store.maxTxnOps - 1;
    for (let at = 0; at < kvs.length; at += atOnce)
      if (!(await this.#eraseTogether(term, kvs.slice(at, at + atOnce)))) return false;
    return true;
  }

  /** The oldest there are, with the horizon behind them: a reader sees both or neither. */
  async #eraseTogether(term: bigint, kvs: readonly KeyValue[]): Promise<boolean> {
    const { store, keys, log } = this.#parts;
    const last = kvs.at(-1);
    if (last === undefined) return true;
    const { succeeded } = await store.txn(
      [{ kind: 'created', key: keys.leader, createRevision: term }],
      [
        ...kvs.map(({ key }): Write => ({ kind: 'delete', key })),
        { kind: 'put', key: keys.eventHorizon, value: encodeHorizon(last.createRevision) },
      ],
    );
    if (succeeded) log.debug('event.pruned', { events: this.#count(kvs) });
    return succeeded;
  }

  /** The first records that have so many events together, or all. */
  #oldest(kvs: readonly KeyValue[], events: number): readonly KeyValue[] {
    let left = events;
    return kvs.filter((kv) => {
      if (left <= 0) return false;
      left -= this.#count([kv]);
      return true;
    });
  }

  #count(kvs: readonly KeyValue[]): number {
    return kvs.reduce((sum, { key }) => sum + (this.#parts.keys.parseEvents(key)?.count ?? 0), 0);
  }
}
