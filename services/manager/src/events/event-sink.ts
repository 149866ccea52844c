import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import type { EventInput } from './event-input.ts';

/** Takes events that belong to no write from the parts of a manager. */
export interface EventSink {
  emit(event: EventInput): void;
  /** A host has repaired a difference in its kernel. */
  repaired(host: string, drift: Drift): void;
}

/** Passes events to the event recorder of the present term. Without a term they are dropped: the leader emits the same. */
export class EventRelay implements EventSink {
  #recorder: EventSink | undefined;

  /** The recorder gets every event until the signal aborts. */
  connect(recorder: EventSink, signal: AbortSignal): void {
    this.#recorder = recorder;
    signal.addEventListener('abort', () => {
      if (this.#recorder === recorder) this.#recorder = undefined;
    });
  }

  emit(event: EventInput): void {
    this.#recorder?.emit(event);
  }

  repaired(host: string, drift: Drift): void {
    this.#recorder?.repaired(host, drift);
  }
}
