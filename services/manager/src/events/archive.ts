import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import type { EventsKey } from '../store/event-keys.ts';
import type { Keys } from '../store/keys.ts';
import { decodeText, encodeText, type Json, object } from '../store/records/codec.ts';
import type { KeySpan, KeyValue, Page, Store } from '../store/store.ts';
import { decodeRecord } from './record.ts';

/** Records in a page: about 300 KB. */
const pageSize = 500;

/** Keys in a page without values: about 100 KB. */
const keysAtOnce = 1_000;

/** Reads the events in the store. */
export class EventArchive {
  readonly #store: Pick<Store, 'get' | 'page'>;
  readonly #keys: Keys;

  constructor({ store, keys }: { readonly store: Pick<Store, 'get' | 'page'>; readonly keys: Keys }) {
    this.#store = store;
    this.#keys = keys;
  }

  /** Reads events page by page from a place to the end. @throws CausewayError store-unavailable */
  async *read(place: string): AsyncGenerator<{ readonly events: readonly Event[]; readonly revision: bigint }, void> {
    for await (const { kvs, revision } of this.records(place)) yield { events: kvs.flatMap(decodeRecord), revision };
  }

  /** The same, but undecoded. */
  async *records(place: string): AsyncGenerator<Pick<Page, 'kvs' | 'revision'>, void> {
    let from = place;
    for (;;) {
      const { kvs, more, revision } = await this.#page(from, pageSize);
      yield { kvs, revision };
      const last = kvs.at(-1);
      if (!more || last === undefined) return;
      from = after(last);
    }
  }

  /** Key of the oldest record in the store. */
  async oldestKey(): Promise<string | undefined> {
    return (await this.#page(this.#keys.events, 1, true)).kvs[0]?.key;
  }

  /** The newest records from a place on, oldest first. */
  async newest(place: string, limit: number): Promise<Pick<Page, 'kvs' | 'revision'>> {
    const span = { from: place, before: this.#keys.eventsEnd };
    const { kvs, revision } = await this.#store.page(span, { limit, newest: true });
    return { kvs: [...kvs].reverse(), revision };
  }

  /**
   * The newest events from a place on that `isSelected` accepts, oldest first, at most `count`. `revision`: the store's
   * revision at the first read. @throws CausewayError store-unavailable
   */
  async last(
    place: string,
    count: number,
    isSelected: (event: Event) => boolean,
  ): Promise<{ readonly events: readonly Event[]; readonly revision: bigint }> {
    const newestFirst: Event[] = [];
    let first: bigint | undefined;
    for (let before = this.#keys.eventsEnd; newestFirst.length < count; ) {
      const { kvs, more, revision } = await this.#store.page(
        { from: place, before },
        { limit: pageSize, newest: true },
      );
      first ??= revision;
      for (const kv of kvs) newestFirst.push(...decodeRecord(kv).filter(isSelected).reverse());
      const oldest = kvs.at(-1);
      if (!more || oldest === undefined) break;
      before = oldest.key;
    }
    return { events: newestFirst.slice(0, count).reverse(), revision: first ?? 0n };
  }

  /** Keys of records in order, in pages: all keys, or those from `from` on, or those before `before`. */
  async *list(span: Partial<KeySpan> = {}): AsyncGenerator<readonly KeyValue[], void> {
    const { before = this.#keys.eventsEnd } = span;
    let { from = this.#keys.events } = span;
    for (;;) {
      const { kvs, more } = await this.#store.page({ from, before }, { limit: keysAtOnce, keysOnly: true });
      yield kvs;
      const last = kvs.at(-1);
      if (!more || last === undefined) return;
      from = after(last);
    }
  }

  /** `gone`: the revision up to which no events are kept. */
  async horizon(): Promise<{ readonly gone: bigint; readonly revision: bigint }> {
    const { kv, revision } = await this.#store.get(this.#keys.eventHorizon);
    return { gone: kv === undefined ? 0n : decodeHorizon(kv), revision };
  }

  /**
   * A place before which every record is older than the revision. Places are times: a binary search between the oldest
   * record and now finds the place with about thirty reads of one key.
   */
  async placeOf(revision: bigint, now: number): Promise<string> {
    const first = await this.#first(this.#keys.events);
    if (first === undefined || first.revision >= revision) return this.#keys.events;
    let low = first.at.time;
    let high = Math.max(low + 1, Math.trunc(now));
    while (high - low > 1) {
      const middle = low + Math.floor((high - low) / 2);
      const found = await this.#first(this.#keys.placeForEvents(middle));
      if (found === undefined || found.revision >= revision) high = middle;
      else low = Math.min(found.at.time, high - 1);
    }
    return this.#keys.placeForEvents(low);
  }

  async #first(place: string): Promise<{ readonly at: EventsKey; readonly revision: bigint } | undefined> {
    const [kv] = (await this.#page(place, 1, true)).kvs;
    const at = kv === undefined ? undefined : this.#keys.parseEvents(kv.key);
    return kv === undefined || at === undefined ? undefined : { at, revision: kv.createRevision };
  }

  #page(from: string, limit: number, keysOnly = false): Promise<Page> {
    return this.#store.page({ from, before: this.#keys.eventsEnd }, { limit, keysOnly });
  }
}

/** The smallest key after this one. */
export function after({ key }: KeyValue): string {
  return `${key}\0`;
}

export function encodeHorizon(revision: bigint): Uint8Array {
  return encodeText(JSON.stringify({ revision: `${revision}` }));
}

function decodeHorizon({ value }: KeyValue): bigint {
  const { revision } = object(JSON.parse(decodeText(value)) as Json);
  return typeof revision === 'string' ? BigInt(revision) : 0n;
}
