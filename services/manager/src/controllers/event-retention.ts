import { type Clock, type Duration, type Log, Loop, seconds } from '@causeway/runtime';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import { after, EventArchive, encodeHorizon } from '../events/archive.ts';
import { expiryTime } from '../plan/expiry-time.ts';
import type { Keys } from '../store/keys.ts';
import type { KeyValue, Store, Write } from '../store/store.ts';
import type { View } from '../store/view.ts';

interface EventRetentionParts {
  readonly store: Pick<Store, 'get' | 'page' | 'txn' | 'maxTxnOps'>;
  readonly view: View;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
}

interface EventRetentionSettings {
  /** Age at which events are deleted, ms. */
  readonly history: Duration;
  /**
   * Most events kept. If there are more, the oldest are deleted, whatever their age. At about 400 bytes each, the default
   * takes 80 MB of the store's 2 GB.
   */
  readonly limit: number;
}

const period = seconds(60);

/** How often the number of events is checked. */
const lookEvery = seconds(5);

/**
 * How much faster than time passes a leader deletes by age. By a right clock, that is more than enough, except after a standstill. A
 * leader whose clock is ahead deletes no more than this in the time until the clock is set right; only a clock that is ahead by more
 * than the rest of a certificate's life is noticed (`expiryTime`).
 */
const catchUp = 4;

/** Up to where a leader has deleted by age. */
interface Reached {
  /** Unix ms: there are no events from before this. */
  readonly time: number;
  /** When that was so, by the clock that is never set. */
  readonly at: number;
}

/**
 * Deletes old events from the store, by age and by number. Leases cannot do this: a lease that ends deletes all its keys at
 * once, its time begins anew with each etcd leader, and it cannot limit the number.
 */
export class EventRetention implements Controller {
  readonly #parts: EventRetentionParts;
  readonly #settings: EventRetentionSettings;
  readonly #archive: EventArchive;
  #due: number;
  /** How many events the store has before `#place`; undefined: not counted yet. */
  #kept: number | undefined;
  #place: string;
  /** Undefined: the oldest event was not read yet in this term. */
  #reached: Reached | undefined;

  constructor(parts: EventRetentionParts, settings: EventRetentionSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#archive = new EventArchive(parts);
    this.#due = parts.clock.now() + period;
    this.#place = parts.keys.events;
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
    const { limit } = this.#settings;
    try {
      this.#reached ??= await this.#begin();
      // Tolerates a tenth more than the limit, so that events are not pruned all the time.
      if (clock.now() < this.#due && (this.#kept === undefined || (await this.#count()) <= limit * 1.1)) return;
      this.#due = clock.now() + period;
      await this.#prune(term);
    } catch (error) {
      this.#kept = undefined; // a transaction without an answer may have deleted some
      throw error;
    }
  }

  async #prune(term: Term): Promise<void> {
    const { keys } = this.#parts;
    const { limit } = this.#settings;
    const isFirst = this.#kept === undefined;
    await this.#count();
    const before = keys.placeForEvents(this.#reach());
    for await (const kvs of this.#archive.list({ before })) if (!(await this.#erase(term, kvs))) return;
    if (!isFirst && this.#excess <= limit * 0.1) return;
    for await (const kvs of this.#archive.list()) {
      if (this.#excess <= 0) return;
      if (!(await this.#erase(term, oldestOf(kvs, this.#excess, keys)))) return;
    }
  }

  async #begin(): Promise<Reached> {
    const { keys, clock } = this.#parts;
    const oldest = keys.parseEvents((await this.#archive.oldestKey()) ?? '');
    return { time: oldest?.time ?? clock.wall() - this.#settings.history, at: clock.now() };
  }

  /** The time, Unix ms, before which events are deleted now. */
  #reach(): number {
    const { clock, view } = this.#parts;
    const { time, at } = this.#reached ?? { time: 0, at: clock.now() };
    const wanted = expiryTime(view, clock.wall()) - this.#settings.history;
    const reached = Math.min(wanted, time + catchUp * (clock.now() - at));
    this.#reached = { time: Math.max(time, reached), at: clock.now() };
    return Math.max(0, Math.trunc(reached));
  }

  get #excess(): number {
    return (this.#kept ?? 0) - this.#settings.limit;
  }

  /**
   * Counts the events since the last count, or all events. This is exact, since only the leader writes and deletes events.
   */
  async #count(): Promise<number> {
    const { keys } = this.#parts;
    let kept = this.#kept ?? 0;
    if (this.#kept === undefined) this.#place = keys.events;
    for await (const kvs of this.#archive.list({ from: this.#place })) {
      kept += eventsIn(kvs, keys);
      const last = kvs.at(-1);
      if (last !== undefined) this.#place = after(last);
    }
    this.#kept = kept;
    return kept;
  }

  /** Deletes records. Returns false if the term is over. */
  async #erase(term: Term, kvs: readonly KeyValue[]): Promise<boolean> {
    const { store } = this.#parts;
    const atOnce = store.maxTxnOps - 1;
    for (let at = 0; at < kvs.length; at += atOnce)
      if (!(await this.#eraseTogether(term, kvs.slice(at, at + atOnce)))) return false;
    return true;
  }

  /** Deletes the oldest records and moves the horizon in one transaction: a reader sees both changes or neither. */
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
    if (!succeeded) return false;
    const events = eventsIn(kvs, keys);
    this.#kept = (this.#kept ?? 0) - events;
    log.debug('event.pruned', { events });
    return true;
  }
}

/** The first records that have at least `events` events together, or all records. */
function oldestOf(kvs: readonly KeyValue[], events: number, keys: Keys): readonly KeyValue[] {
  let left = events;
  return kvs.filter((kv) => {
    if (left <= 0) return false;
    left -= eventsIn([kv], keys);
    return true;
  });
}

function eventsIn(kvs: readonly KeyValue[], keys: Keys): number {
  return kvs.reduce((sum, { key }) => sum + (keys.parseEvents(key)?.count ?? 0), 0);
}
