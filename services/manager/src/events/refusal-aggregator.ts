import { milliseconds, minutes } from '@causeway/runtime';
import { callRefused } from './describe.ts';
import type { EventInput, Refusal } from './event-input.ts';

/** Refusals of one caller, method and code make at most one event in this time. The first makes an event at once. */
const apart = minutes(1);
/** Most events in that time, so that a flood of callers does not push other events out of the store. */
const mostEvents = 20;
/** More callers than this are not told apart. */
const mostEntries = 200;

interface Entry {
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
    const own = `${refusal.subject} ${refusal.method} ${refusal.code}`;
    const isMany = !this.#entries.has(own) && this.#entries.size >= mostEntries;
    const key = isMany ? '' : own;
    const { count = 0, due = now } = this.#entries.get(key) ?? {};
    const latest = isMany ? { ...refusal, subject: 'several callers' } : refusal;
    this.#entries.set(key, { refusal: latest, count: count + 1, due });
  }

  /** Events that may be recorded now. */
  take(now: number): readonly EventInput[] {
    this.#made = this.#made.filter((at) => at + apart > now);
    const events: EventInput[] = [];
    for (const [key, { refusal, count, due }] of this.#entries) {
      if (due > now || this.#made.length >= mostEvents) continue;
      if (count === 0) {
        this.#entries.delete(key);
      } else {
        events.push(callRefused(refusal, count));
        this.#made = [...this.#made, now];
        this.#entries.set(key, { refusal, count: 0, due: now + apart });
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
