import type { EndpointId } from '@causeway/model';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Clock, milliseconds, type Random } from '@causeway/runtime';
import { MemoryLog } from '@causeway/runtime/testing';
import { EventFeed } from '../events/feed.ts';
import { decodeRecord } from '../events/record.ts';
import type { Keys } from '../store/keys.ts';
import type { MemoryStore } from '../store/memory.ts';
import type { KeyValue } from '../store/store.ts';

/** Number of events that each feed keeps: so few that a reader falls behind and reads the store. */
const kept = 8;

/** A reader of events that moves between the feeds of several managers, and checks what it reads. */
export class EventReader {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #feeds: readonly EventFeed[];
  readonly #read: Event[] = [];
  #stopped = false;

  constructor(
    stores: readonly MemoryStore[],
    parts: { readonly keys: Keys; readonly clock: Clock; readonly random: Random },
  ) {
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#feeds = stores.map((store) => new EventFeed({ ...parts, store, log: new MemoryLog() }, { kept }));
  }

  async run(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const leave = new AbortController();
      const span = milliseconds(this.#random.float() * 3_000);
      void this.#clock.sleep(span, leave.signal).then(() => leave.abort());
      await this.#follow(this.#feeds[turn % this.#feeds.length], true, leave.signal);
      leave.abort();
    }
  }

  /**
   * Reads what is left, and returns what was wrong. `records`: all event records in the store. `attached`: all endpoints
   * that ever existed.
   */
  async close(records: readonly KeyValue[], attached: ReadonlySet<EndpointId>): Promise<readonly string[]> {
    this.#stopped = true;
    await this.#follow(this.#feeds[0], false, new AbortController().signal);
    for (const feed of this.#feeds) await feed.stop();
    const stored = records.flatMap(decodeRecord);
    const recorded = stored.filter(({ kind }) => kind === 'endpoint.attached').map(({ endpointId }) => endpointId);
    return [
      ...(sequences(this.#read) === sequences(stored) ? [] : [`read ${sequences(this.#read)} of ${sequences(stored)}`]),
      ...(isRising(records.map(({ createRevision }) => createRevision))
        ? []
        : ['keys are not in the order of revisions']),
      ...recorded.filter((id, i) => recorded.indexOf(id) !== i).map((id) => `${id} has two events of its attachment`),
      ...recorded
        .filter((id) => !attached.has(id as EndpointId))
        .map((id) => `${id} has an event of its attachment and was never attached`),
      ...[...attached].filter((id) => !recorded.includes(id)).map((id) => `${id} was attached, and no event says so`),
    ];
  }

  async #follow(feed: EventFeed | undefined, follow: boolean, signal: AbortSignal): Promise<void> {
    if (feed === undefined) return;
    const last = this.#read.at(-1)?.sequence;
    try {
      for await (const event of feed.read({ from: last === undefined ? 0n : last + 1n, since: 0, follow }, signal))
        this.#read.push(event);
    } catch {
      await this.#clock.sleep(milliseconds(100), signal); // the store did not answer: continue at another manager
    }
  }
}

function sequences(events: readonly Event[]): string {
  return events.map(({ sequence }) => sequence).join(' ');
}

function isRising(values: readonly bigint[]): boolean {
  return values.every((value, i) => i === 0 || value > (values[i - 1] ?? 0n));
}
