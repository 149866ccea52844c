import { type Clock, type Duration, type Log, Loop, seconds } from '@causeway/runtime';
import { type Controller, failureLog } from '../election/controller.ts';
import type { Term } from '../election/term.ts';
import { EventArchive, encodeHorizon } from '../events/archive.ts';
import type { Keys } from '../store/keys.ts';
import type { KeyValue, Store, Write } from '../store/store.ts';

export interface EventRetentionParts {
  readonly store: Pick<Store, 'get' | 'page' | 'txn' | 'maxTxnOps'>;
  readonly keys: Keys;
  /** How many events this manager has written since it was made. All events are the leader's to write. */
  readonly told: () => number;
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
 * Takes old events out of the store, by age and by number. Not by leases: one that ends takes all its keys in one go, starts
 * anew with each etcd leader, and knows nothing of numbers.
 */
export class EventRetention implements Controller {
  readonly #parts: EventRetentionParts;
  readonly #settings: EventRetentionSettings;
  readonly #archive: EventArchive;
  #due: number;
  /** How many there were in the store when so many had been told. Undefined: not counted yet. */
  #counted: { readonly kept: number; readonly told: number } | undefined;

  constructor(parts: EventRetentionParts, settings: EventRetentionSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#archive = new EventArchive(parts);
    this.#due = parts.clock.now() + period;
  }

  run(term: Term): Promise<void> {
    const { log } = this.#parts;
    const step = async (): Promise<Duration> => {
      await this.#look(term);
      return lookEvery;
    };
    const loop = new Loop(this.#parts, { step, failed: failureLog(log, 'event.not-pruned'), retryAfter: lookEvery });
    return loop.run(term.signal);
  }

  async #look(term: Term): Promise<void> {
    const { clock } = this.#parts;
    if (clock.now() < this.#due && !this.#mayBeTooMany) return;
    this.#due = clock.now() + period;
    await this.#prune(term);
  }

  /** A tenth more than is wanted, so that it is not looked for all the time. */
  get #mayBeTooMany(): boolean {
    if (this.#counted === undefined) return false;
    const { kept, told } = this.#counted;
    return kept + this.#parts.told() - told > this.#settings.limit * 1.1;
  }

  async #prune(term: Term): Promise<void> {
    const { keys, clock } = this.#parts;
    const { history, limit } = this.#settings;
    const oldest = keys.placeForEvents(Math.max(0, Math.trunc(clock.wall()) - history));
    for await (const kvs of this.#archive.list(oldest)) if (!(await this.#erase(term, kvs))) return;
    if (this.#counted !== undefined && !this.#mayBeTooMany) return;
    const told = this.#parts.told();
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
  async #erase(term: Term, kvs: readonly KeyValue[]): Promise<boolean> {
    const { store } = this.#parts;
    const atOnce = store.maxTxnOps - 1;
    for (let at = 0; at < kvs.length; at += atOnce)
      if (!(await this.#eraseTogether(term, kvs.slice(at, at + atOnce)))) return false;
    return true;
  }

  /** The oldest there are, with the horizon behind them: a reader sees both or neither. */
  async #eraseTogether({ revision, signal }: Term, kvs: readonly KeyValue[]): Promise<boolean> {
    const { store, keys, log } = this.#parts;
    const last = kvs.at(-1);
    if (last === undefined) return true;
    if (signal.aborted) return false;
    const { succeeded } = await store.txn(
      [{ kind: 'created', key: keys.leader, createRevision: revision }],
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
