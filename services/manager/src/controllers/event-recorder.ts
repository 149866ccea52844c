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
import { type Controller, failureLog } from '../election/controller.ts';
import type { Term } from '../election/term.ts';
import type { Happening } from '../events/event-input.ts';
import type { EventOutlet, Teller } from '../events/event-sink.ts';
import { DriftTally } from '../events/repair-aggregator.ts';
import type { Intent } from '../plan/intent.ts';
import { tell } from '../plan/record-events.ts';

export interface EventRecorderParts {
  readonly outlet: Pick<EventOutlet, 'connect'>;
  readonly writer: TermWriter;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What happens in so long is told in one transaction. */
const pause = milliseconds(200);
const retryAfter = seconds(1);

/** Events of one transaction: 100 are some 30 KB. */
const most = 100;

/** What waits for a store that does not answer: each host lost and back again some times. */
const mostWaiting = 10_000;

/**
 * Tells what is no write of anybody's, in the order it happened. Nobody waits for it; what the store does not take is
 * tried again until the term is over.
 */
export class EventRecorder implements Controller, Teller {
  readonly #parts: EventRecorderParts;
  readonly #loop: Loop;
  readonly #tally = new DriftTally();
  #waiting: Happening[] = [];
  /** What may have been told already by a try without answer. */
  #sending: Intent<void> | undefined;

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
    const failed = failureLog(parts.log, 'event.not-told');
    this.#loop = new Loop(parts, { step: (signal) => this.#step(signal), failed, retryAfter });
  }

  run({ signal }: Term): Promise<void> {
    this.#parts.outlet.connect(this, signal);
    return this.#loop.run(signal);
  }

  tell(happening: Happening): void {
    if (this.#waiting.length < mostWaiting) this.#waiting.push(happening);
    else this.#parts.log.debug('event.dropped', { kind: happening.kind });
    this.#loop.wake();
  }

  repaired(host: string, drift: Drift): void {
    this.#tally.add(host, drift, this.#parts.clock.now());
    this.#loop.wake();
  }

  /** Returns when repairs are due that are not yet. */
  async #step(signal: AbortSignal): Promise<Duration | undefined> {
    const { clock, writer, random } = this.#parts;
    await clock.sleep(pause, signal);
    this.#waiting.push(...this.#tally.take(clock.now()));
    while (!signal.aborted && (this.#sending !== undefined || this.#waiting.length > 0)) {
      this.#sending ??= tell(this.#waiting.splice(0, most), randomId(random));
      await writer.apply(this.#sending, { cause: 'observed', signal });
      this.#sending = undefined;
    }
    const { due } = this.#tally;
    return due === undefined ? undefined : milliseconds(Math.max(0, due - clock.now()));
  }
}
