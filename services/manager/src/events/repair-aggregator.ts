import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import { type Duration, seconds } from '@causeway/runtime';
import { driftRepaired, printRepair } from './describe.ts';
import type { EventInput } from './event-input.ts';

/** Repairs of one host, network and kind make at most one event in this time. The first repair makes an event at once. */
const apart: Duration = seconds(5);

const mostExamples = 3;

interface Entry {
  readonly of: Pick<Drift, 'host' | 'network' | 'kind'>;
  readonly count: number;
  readonly examples: readonly string[];
  /** When the event may be recorded, on the monotonic clock. */
  readonly due: number;
}

/** Collects repairs into few events: a program that keeps undoing an agent's work must not fill the store. */
export class RepairAggregator {
  readonly #entries = new Map<string, Entry>();

  add(host: string, drift: Drift, now: number): void {
    const key = `${host} ${drift.kind} ${drift.network}`;
    const { network, kind } = drift;
    const entry = this.#entries.get(key) ?? { of: { host, network, kind }, count: 0, examples: [], due: now };
    const examples = entry.examples.length < mostExamples ? [...entry.examples, printRepair(drift)] : entry.examples;
    this.#entries.set(key, { ...entry, count: entry.count + 1, examples });
  }

  /** Events that may be recorded now. */
  take(now: number): readonly EventInput[] {
    const events: EventInput[] = [];
    for (const [key, { of, count, examples, due }] of this.#entries) {
      if (due > now) continue;
      if (count === 0) {
        this.#entries.delete(key);
      } else {
        events.push(driftRepaired(of, count, examples));
        this.#entries.set(key, { of, count: 0, examples: [], due: now + apart });
      }
    }
    return events;
  }

  /** When `take` returns the next event; undefined: no repair waits. */
  get due(): number | undefined {
    const waiting = [...this.#entries.values()].filter(({ count }) => count > 0);
    return waiting.length === 0 ? undefined : Math.min(...waiting.map(({ due }) => due));
  }

  clear(): void {
    this.#entries.clear();
  }
}
