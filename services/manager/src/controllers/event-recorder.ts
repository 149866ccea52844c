import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import {
  type Clock,
  type Duration,
  type Log,
  Loop,
  milliseconds,
  type Random,
  randomId,
  seconds,
} from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import type { EventInput } from '../events/event-input.ts';
import type { EventRelay, EventSink } from '../events/event-sink.ts';
import { RepairAggregator } from '../events/repair-aggregator.ts';
import type { Intent } from '../plan/intent.ts';
import { recordEvents } from '../plan/record-events.ts';

interface EventRecorderParts {
  readonly relay: Pick<EventRelay, 'connect'>;
  readonly writer: TermWriter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Events are collected for this time and recorded in one transaction. */
const pause = milliseconds(200);
const retryAfter = seconds(1);

/** Most events in one transaction: 100 are about 30 KB. */
const most = 100;

/** Most events that wait for a store that does not answer: enough for every host to be lost and to return several times. */
const mostWaiting = 10_000;

/**
 * Records the events that belong to no write, in the order in which they were emitted. No call waits for the recording. If
 * the store does not accept events, the recorder tries again until the term is over.
 */
export class EventRecorder implements Controller, EventSink {
  readonly #parts: EventRecorderParts;
  readonly #loop: Loop;
  readonly #tally = new RepairAggregator();
  #waiting: EventInput[] = [];
  /** Events of a try without an answer, which may have recorded them already. */
  #sending: Intent<void> | undefined;

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
    const failed = failureLog(parts.log, 'event.not-recorded');
    this.#loop = new Loop(parts, { step: (signal) => this.#step(signal), failed, retryAfter });
  }

  run({ signal }: Term): Promise<void> {
    this.#parts.relay.connect(this, signal);
    return this.#loop.run(signal);
  }

  emit(event: EventInput): void {
    if (this.#waiting.length < mostWaiting) this.#waiting.push(event);
    else this.#parts.log.debug('event.dropped', { kind: event.kind });
    this.#loop.wake();
  }

  repaired(host: string, drift: Drift): void {
    this.#tally.add(host, drift, this.#parts.clock.now());
    this.#loop.wake();
  }

  /** Returns the time until the next repairs are due. */
  async #step(signal: AbortSignal): Promise<Duration | undefined> {
    const { clock, writer, random } = this.#parts;
    await clock.sleep(pause, signal);
    this.#waiting.push(...this.#tally.take(clock.now()));
    while (!signal.aborted && (this.#sending !== undefined || this.#waiting.length > 0)) {
      this.#sending ??= recordEvents(this.#waiting.splice(0, most), randomId(random));
      await writer.apply(this.#sending, { cause: 'observed', signal });
      this.#sending = undefined;
    }
    const { due } = this.#tally;
    return due === undefined ? undefined : milliseconds(Math.max(0, due - clock.now()));
  }
}
