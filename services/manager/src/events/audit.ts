import { type CausewayError, messageOf } from '@causeway/model';
import type { RefusedCalls } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { type Clock, type Log, Loop, milliseconds, type Startable, seconds, within } from '@causeway/runtime';
import type { EventInput, RefusedCall } from './event-input.ts';
import type { EventSink } from './event-sink.ts';
import { RefusalAggregator } from './refusal-aggregator.ts';

interface AuditParts {
  /** Drops events while another manager leads. */
  readonly sink: Pick<EventSink, 'emit'>;
  /** Tells the leader. Undefined: this manager leads, or it knows of no leader. */
  readonly report: () => ((refusals: readonly RefusedCalls[], signal: AbortSignal) => Promise<void>) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const retryAfter = seconds(1);
/** How long the leader may take. What it did not get is in this manager's log only. */
const reportLimit = seconds(2);

/**
 * What this manager has refused, in few lines of its log and few events; a follower reports to the leader. What was carried out needs
 * no audit of its own: the event of a change names the caller and the method.
 */
export class Audit implements Startable {
  readonly #parts: AuditParts;
  readonly #refusals = new RefusalAggregator();
  readonly #loop: Loop;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: AuditParts) {
    this.#parts = parts;
    const failed = (error: unknown): void => parts.log.warn('call.refusal-not-recorded', { message: messageOf(error) });
    this.#loop = new Loop(parts, { step: (signal) => this.#step(signal), failed, retryAfter });
  }

  start(): Promise<void> {
    this.#running = this.#loop.run(this.#stopping.signal);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  refused(call: RefusedCall, { code, message }: CausewayError): void {
    this.#refusals.add({ ...call, code, message }, this.#parts.clock.now());
    this.#loop.wake();
  }

  async #step(signal: AbortSignal) {
    const { sink, report, clock, log } = this.#parts;
    const events = this.#refusals.take(clock.now());
    for (const { subject, method, object, refusal, count, message } of events)
      log.warn('call.refused', { subject, method, object, code: refusal, count, message });
    const tell = report();
    if (tell === undefined) for (const event of events) sink.emit(event);
    else if (events.length > 0)
      await within(clock, reportLimit, (until) => tell(events.map(messageOfRefusal), until), signal);
    const { due } = this.#refusals;
    return due === undefined ? undefined : milliseconds(Math.max(0, due - clock.now()));
  }
}

function messageOfRefusal({
  subject = '',
  method = '',
  object = '',
  refusal: code = '',
  count = 1,
  message,
}: EventInput): RefusedCalls {
  return { subject, method, object, code, count, message };
}

/**
 * Whether a refusal belongs into the audit: who was not let in, and which change of an operator was refused. What agents are
 * refused in their own work has events of its own.
 */
export function isAudited({ kind }: CausewayError, isOperatorsChange: boolean): boolean {
  return kind === 'denied' || (isOperatorsChange && kind !== 'unavailable');
}
