import type { CausewayError } from '@causeway/model';
import { type Clock, type Log, Loop, milliseconds, type Startable, seconds } from '@causeway/runtime';
import type { Refusal } from './event-input.ts';
import type { EventSink } from './event-sink.ts';
import { RefusalAggregator } from './refusal-aggregator.ts';

interface AuditParts {
  /** Drops events while another manager leads. */
  readonly sink: Pick<EventSink, 'emit'>;
  readonly clock: Clock;
  readonly log: Log;
}

const retryAfter = seconds(1);

/**
 * What this manager has refused, in few lines of its log and, while it leads, in events. What was carried out needs no audit
 * of its own: the event of a change names the caller and the method.
 */
export class Audit implements Startable {
  readonly #parts: AuditParts;
  readonly #refusals = new RefusalAggregator();
  readonly #loop: Loop;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: AuditParts) {
    this.#parts = parts;
    const failed = (error: unknown): void => parts.log.warn('call.refusal-not-recorded', { error });
    this.#loop = new Loop(parts, { step: () => this.#step(), failed, retryAfter });
  }

  start(): Promise<void> {
    this.#running = this.#loop.run(this.#stopping.signal);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  refused(caller: Pick<Refusal, 'subject' | 'method'>, { code, message }: CausewayError): void {
    this.#refusals.add({ ...caller, code, message }, this.#parts.clock.now());
    this.#loop.wake();
  }

  #step() {
    const { sink, clock, log } = this.#parts;
    for (const event of this.#refusals.take(clock.now())) {
      const { subject, method, refusal, count, message } = event;
      log.warn('call.refused', { subject, method, code: refusal, count, message });
      sink.emit(event);
    }
    const { due } = this.#refusals;
    return Promise.resolve(due === undefined ? undefined : milliseconds(Math.max(0, due - clock.now())));
  }
}

/**
 * Whether a refusal belongs into the audit: who was not let in, and which change of an operator was refused. What agents are
 * refused in their own work has events of its own.
 */
export function isAudited({ kind }: CausewayError, isOperatorsChange: boolean): boolean {
  return kind === 'denied' || (isOperatorsChange && kind !== 'unavailable');
}
