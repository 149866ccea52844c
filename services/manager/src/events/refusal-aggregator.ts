import { milliseconds, minutes } from '@causeway/runtime';
import { callRefused } from './describe.ts';
import type { EventInput, Refusal } from './event-input.ts';

/** Refusals of one caller, method, code and object make at most one event in this time. The first makes an event at once. */
const apart = minutes(1);
/** More objects than this of one caller, method and code are not told apart, so that one caller does not take the place of others. */
const mostObjects = 4;
/** Most events in that time, so that a flood of callers does not push other events out of the store. */
const mostEvents = 20;
/** More callers than this are not told apart. */
const mostEntries = 200;

interface Entry {
  /** Caller, method and code. */
  readonly of: string;
  /** The latest. */
  readonly refusal: Refusal;
  /** How many are in no event yet. */
  readonly count: number;
  /** When the next event may be recorded, on the monotonic clock. */
  readonly due: number;
}

/** Collects refused calls into few events. */
export class RefusalAggregator {
  readonly #entries = new Map<string, Entry>();
  /** When the latest events were made. */
  #made: readonly number[] = [];

  add(refusal: Refusal, now: number): void {
    const of = `${refusal.subject} ${refusal.method} ${refusal.code}`;
    const { key, latest } = this.#place(of, refusal);
    const { count = 0, due = now } = this.#entries.get(key) ?? {};
    this.#entries.set(key, { of, refusal: latest, count: count + 1, due });
  }

  /** Where the refusal is counted, and as what. */
  #place(of: string, refusal: Refusal): { readonly key: string; readonly latest: Refusal } {
    const own = `${of} ${refusal.object ?? ''}`;
    if (this.#entries.has(own)) return { key: own, latest: refusal };
    const objects = [...this.#entries.values()].filter((entry) => entry.of === of).length;
    const several = { ...refusal, object: 'several objects' };
    if (objects >= mostObjects) return { key: `${of} several objects`, latest: several };
    if (this.#entries.size < mostEntries) return { key: own, latest: refusal };
    return { key: '', latest: { ...several, subject: 'several callers' } };
  }

  /** Events that may be recorded now. */
  take(now: number): readonly EventInput[] {
    this.#made = this.#made.filter((at) => at + apart > now);
    const events: EventInput[] = [];
    for (const [key, { of, refusal, count, due }] of this.#entries) {
      if (due > now || this.#made.length >= mostEvents) continue;
      if (count === 0) {
        this.#entries.delete(key);
      } else {
        events.push(callRefused(refusal, count));
        this.#made = [...this.#made, now];
        // To the end, so that others have their turn when there is no room for all.
        this.#entries.delete(key);
        this.#entries.set(key, { of, refusal, count: 0, due: now + apart });
      }
    }
    return events;
  }

  /** When `take` may return the next event; undefined: no refusal waits. */
  get due(): number | undefined {
    const waiting = [...this.#entries.values()].filter(({ count }) => count > 0).map(({ due }) => due);
    if (waiting.length === 0) return undefined;
    const [oldest = 0] = this.#made;
    const room = this.#made.length < mostEvents ? 0 : oldest + apart;
    return milliseconds(Math.max(room, Math.min(...waiting)));
  }
}
