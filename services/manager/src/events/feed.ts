import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Clock, type Log, milliseconds, minutes, Notifier } from '@causeway/runtime';
import type { Keys } from '../store/keys.ts';
import type { Step, Store } from '../store/store.ts';
import { EventArchive } from './archive.ts';
import { decodeRecord, revisionOf, sequenceOf } from './record.ts';
import { EventRing } from './ring.ts';

/**
 * Events kept in memory for readers that follow, at about 500 bytes each. A reader that is further behind reads the store.
 */
const keptEvents = 5_000;

/** At first, events of this time are read into memory, and no more than `mostRecent` records. */
const recent = minutes(1);
const mostRecent = 500;

/** Pause before the feed begins to follow again: the history is gone, or the store did not answer. */
const pause = milliseconds(500);

interface EventFeedParts {
  readonly store: Pick<Store, 'get' | 'page' | 'watch'>;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
}

export interface EventQuery {
  /** The first sequence to return; 0: the oldest event kept, or the first one since `since`. */
  readonly from: bigint;
  /** Unix time, ms; 0: all events that are kept. */
  readonly since: number;
  /** Go on with new events until the signal aborts. */
  readonly follow: boolean;
}

/**
 * Serves the cluster's events on every manager, leader or not: the newest from memory, older ones from the store. The feed
 * follows the store only while there is a reader: otherwise every write would cost every manager one more message.
 */
export class EventFeed {
  readonly #parts: EventFeedParts;
  readonly #archive: EventArchive;
  readonly #ring: EventRing;
  readonly #stop = new AbortController();
  readonly #notifier = new Notifier();
  #running: Promise<void> = Promise.resolve();
  #readers = 0;
  /** Aborts to stop following the store; undefined: there is no reader. */
  #following: AbortController | undefined;
  #loaded = false;

  constructor(parts: EventFeedParts, { kept }: { readonly kept: number } = { kept: keptEvents }) {
    this.#parts = parts;
    this.#archive = new EventArchive(parts);
    this.#ring = new EventRing(kept);
  }

  /** Ends all readers. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#notifier.notify();
    await this.#running;
  }

  /**
   * Returns the events in order, without repeats or gaps. If some requested events are not kept any more, the first event is
   * "events.gone". It has the sequence of the last missing event. @throws CausewayError store-unavailable
   */
  async *read(query: EventQuery, signal: AbortSignal): AsyncGenerator<Event, void> {
    this.#enter();
    try {
      yield* this.#read(query, AbortSignal.any([signal, this.#stop.signal]));
    } finally {
      this.#leave();
    }
  }

  async *#read({ from, since, follow }: EventQuery, over: AbortSignal): AsyncGenerator<Event, void> {
    while (!this.#loaded && !over.aborted) await this.#notifier.wait(over);
    const start = yield* this.#begin(from, since);
    let { next } = start;
    let { place } = start;
    while (!over.aborted) {
      if (place !== undefined || next < this.#ring.floor) {
        place ??= await this.#archive.placeOf(revisionOf(next), this.#parts.clock.wall());
        next = yield* this.#older(place, next, over);
        place = undefined;
        continue;
      }
      const event = this.#ring.from(next);
      if (event !== undefined) {
        next = event.sequence + 1n;
        yield event;
      } else if (follow) await this.#notifier.wait(over);
      else return;
    }
  }

  /**
   * The newest events that `isSelected` accepts, oldest first, at most `count`, none from before `since`. `next`: the
   * sequence from which `read` can go on. @throws CausewayError store-unavailable
   */
  async last(
    count: number,
    since: number,
    isSelected: (event: Event) => boolean,
  ): Promise<{ readonly events: readonly Event[]; readonly next: bigint }> {
    const { keys } = this.#parts;
    const place = since > 0 ? keys.placeForEvents(since) : keys.events;
    const { events, revision } = await this.#archive.last(place, count, isSelected);
    // The end of that revision: later events do not exist yet, so none is missing.
    return { events, next: later((events.at(-1)?.sequence ?? -1n) + 1n, sequenceOf(revision + 1n) - 1n) };
  }

  /** Where to begin: at a sequence, or at a place in the store. */
  async *#begin(from: bigint, since: number): AsyncGenerator<Event, { next: bigint; place: string | undefined }> {
    const { keys } = this.#parts;
    if (from === 0n) return { next: 0n, place: since > 0 ? keys.placeForEvents(since) : keys.events };
    if (from >= this.#ring.floor && this.#ring.from(from) !== undefined) return { next: from, place: undefined };
    const { gone, revision } = await this.#archive.horizon();
    if (gone > 0n && revisionOf(from) <= gone) {
      yield this.#gap(gone, `events up to here are not kept any more: some after sequence ${from - 1n} are missing`);
      return { next: sequenceOf(gone + 1n), place: keys.events };
    }
    if (revisionOf(from) > revision) {
      yield this.#gap(revision, `sequence ${from} does not exist yet: the store was restored from a backup`);
      return { next: sequenceOf(revision + 1n), place: undefined };
    }
    return { next: from, place: undefined };
  }

  /** Reads from the store the events that are not in memory. Returns the sequence to go on from. */
  async *#older(place: string, next: bigint, signal: AbortSignal): AsyncGenerator<Event, bigint> {
    let reached = next;
    let upTo = 0n;
    for await (const { events, revision } of this.#archive.read(place)) {
      upTo = revision;
      for (const event of events) {
        if (event.sequence < reached) continue;
        if (signal.aborted) return reached;
        yield event;
        reached = event.sequence + 1n;
      }
      if (reached > this.#ring.floor) return reached;
    }
    return later(reached, sequenceOf(upTo + 1n));
  }

  #gap(revision: bigint, message: string): Event {
    const names = {
      network: '',
      endpoint: '',
      host: '',
      networkId: '',
      endpointId: '',
      purpose: '',
      subject: '',
      method: '',
      refusal: '',
      object: '',
      addresses: [],
    };
    const timeMs = BigInt(Math.trunc(this.#parts.clock.wall()));
    const sequence = sequenceOf(revision + 1n) - 1n;
    return {
      ...names,
      kind: 'events.gone',
      sequence,
      revision,
      timeMs,
      message,
      actor: '',
      cause: 'retention',
      count: 1,
    };
  }

  #enter(): void {
    this.#readers++;
    if (this.#following !== undefined) return;
    const following = new AbortController();
    this.#following = following;
    const signal = AbortSignal.any([following.signal, this.#stop.signal]);
    this.#running = this.#running.then(() => this.#run(signal));
  }

  #leave(): void {
    if (--this.#readers > 0) return;
    this.#following?.abort();
    this.#following = undefined;
    this.#loaded = false;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { store, keys, clock, log } = this.#parts;
    while (!signal.aborted) {
      try {
        for await (const step of store.watch(keys.events, await this.#load(signal), signal)) this.#take(step);
      } catch (error) {
        log.warn('event.feed-failed', { error });
      }
      await clock.sleep(pause, signal);
    }
  }

  /** Fills the memory anew. Returns the revision from which to go on. */
  async #load(signal: AbortSignal): Promise<bigint> {
    const { keys, clock } = this.#parts;
    const place = keys.placeForEvents(Math.max(0, clock.wall() - recent));
    const { kvs, revision } = await this.#archive.newest(place, mostRecent);
    if (signal.aborted) return revision;
    const [first] = kvs;
    this.#ring.reset(sequenceOf(first?.createRevision ?? revision + 1n), kvs.flatMap(decodeRecord));
    this.#loaded = true;
    this.#notifier.notify();
    return revision;
  }

  #take(step: Step): void {
    if (step.kind !== 'events') return;
    const events = step.events.flatMap((event) => (event.kind === 'put' ? decodeRecord(event.kv) : []));
    if (events.length === 0) return;
    this.#ring.add(events);
    this.#notifier.notify();
  }
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
