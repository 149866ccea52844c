import { type Bytes, equalBytes, utf8 } from '../wire/bytes.ts';
import type { UserCoalescer } from './coalescer.ts';
import type { SerfContext } from './context.ts';
import { userEventSize } from './limits.ts';
import { type EventsOfTime, encodeSerf, type SerfState, type UserEvent } from './message.ts';
import { MessageBuffer } from './message-buffer.ts';
import type { Outbox } from './outbox.ts';

/** Events of the application, which every node gets once. */
export class UserEvents {
  readonly buffer: MessageBuffer<{ readonly name: string; readonly payload: Bytes }>;
  readonly #context: SerfContext;
  readonly #outbox: Outbox;
  readonly #coalescer: UserCoalescer;

  constructor(context: SerfContext, outbox: Outbox, coalescer: UserCoalescer) {
    this.#context = context;
    this.#outbox = outbox;
    this.#coalescer = coalescer;
    this.buffer = new MessageBuffer(
      context.clocks.event,
      (a, b) => a.name === b.name && equalBytes(a.payload, b.payload),
    );
  }

  /** Why not: nothing was sent. */
  send(name: string, payload: Bytes, coalesce: boolean): string | undefined {
    const length = utf8(name).length + payload.length;
    if (length > userEventSize) {
      return `name and payload of an event have at most ${userEventSize} bytes, not ${length}`;
    }
    const event: UserEvent = { type: 'event', lTime: this.#context.clocks.event.time, name, payload, cC: coalesce };
    const error = this.#outbox.event(encodeSerf(event));
    if (error === undefined) this.#take(event);
    return error;
  }

  received(event: UserEvent, bytes: Bytes): void {
    if (this.#take(event)) this.#outbox.event(bytes);
  }

  /** A peer's table came. Its events are not passed on: they had their turn, and each node gets them by its own exchange. */
  merge({ events }: SerfState): void {
    for (const slot of events) {
      const lTime = slot?.lTime ?? 0;
      for (const { name, payload } of slot?.events ?? []) {
        this.#take({ type: 'event', lTime, name, payload, cC: false });
      }
    }
  }

  /** What this node still knows, for the table of an exchange. */
  get known(): readonly EventsOfTime[] {
    return this.buffer.all.map(({ time, messages }) => ({ lTime: time, events: messages }));
  }

  #take({ lTime, name, payload, cC: coalesce }: UserEvent): boolean {
    if (!this.buffer.take(lTime, { name, payload })) return false;
    this.#coalescer.add({ type: 'user', name, payload, lTime, coalesce });
    return true;
  }
}
