import { isCausewayError } from '@causeway/model';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import {
  type Clock,
  type Log,
  milliseconds,
  type Random,
  randomId,
  type Startable,
  seconds,
  Worker,
} from '@causeway/runtime';
import type { Writer } from '../writer/writer.ts';
import type { Happening } from './happening.ts';
import { DriftTally } from './tally.ts';
import { tell } from './tell.ts';

/** The part that those see who have something to tell. */
export type Teller = Pick<EventRecorder, 'tell' | 'repaired'>;

export interface EventRecorderParts {
  readonly writer: Pick<Writer, 'apply' | 'isLeading'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What happens in so long is told in one transaction. */
const pause = milliseconds(200);
const retryDelay = seconds(1);

/** Events of one transaction: 100 are some 30 KB. */
const most = 100;

/** What waits for a store that does not answer: each host lost and back again some times. */
const mostWaiting = 10_000;

/**
 * While this manager leads: tells what is no write of anybody's, in the order it happened. Nobody waits for it; what the
 * store does not take is tried again until this manager leads no more.
 */
export class EventRecorder implements Startable {
  readonly #parts: EventRecorderParts;
  readonly #worker = new Worker((signal) => this.#work(signal));
  readonly #tally = new DriftTally();
  #waiting: Happening[] = [];
  #timer = new AbortController();

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await this.#worker.stop();
    this.#timer.abort();
  }

  tell(happening: Happening): void {
    const { writer, log } = this.#parts;
    if (!writer.isLeading) return;
    if (this.#waiting.length < mostWaiting) this.#waiting.push(happening);
    else log.debug('event.dropped', { kind: happening.kind });
    void this.#worker.poke();
  }

  /** A host has repaired something in its kernel. */
  repaired(host: string, drift: Drift): void {
    const { writer, clock } = this.#parts;
    if (!writer.isLeading) return;
    this.#tally.add(host, drift, clock.now());
    void this.#worker.poke();
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { clock, writer } = this.#parts;
    await clock.sleep(pause, signal);
    this.#waiting.push(...this.#tally.take(clock.now()));
    while (this.#waiting.length > 0 && writer.isLeading && !signal.aborted)
      await this.#write(this.#waiting.splice(0, most), signal);
    if (!writer.isLeading) {
      this.#waiting = [];
      this.#tally.clear();
    }
    this.#setTimer();
  }

  async #write(events: readonly Happening[], signal: AbortSignal): Promise<void> {
    const { writer, clock, random, log } = this.#parts;
    const intent = tell(events, randomId(random));
    while (!signal.aborted) {
      try {
        await writer.apply(intent, { cause: 'observed', signal });
        return;
      } catch (error) {
        if (isCausewayError(error, 'not-leader')) return;
        log.warn('event.not-told', { events: events.length, error });
        await clock.sleep(retryDelay, signal);
      }
    }
  }

  /** For repairs that are not due yet. */
  #setTimer(): void {
    const { clock } = this.#parts;
    const { due } = this.#tally;
    this.#timer.abort();
    if (due === undefined) return;
    const timer = new AbortController();
    this.#timer = timer;
    const span = milliseconds(Math.max(0, due - clock.now()));
    void clock.sleep(span, timer.signal).then(() => {
      if (!timer.signal.aborted) void this.#worker.poke();
    });
  }
}
