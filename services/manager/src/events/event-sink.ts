import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Happening } from './event-input.ts';

/** The part that those see who have something to tell. */
export interface Teller {
  tell(happening: Happening): void;
  /** A host has repaired something in its kernel. */
  repaired(host: string, drift: Drift): void;
}

/** Where all parts of a manager tell what happens: it reaches the recorder of the present term. Another leader tells the same. */
export class EventOutlet implements Teller {
  #recorder: Teller | undefined;

  /** The recorder is told everything until the signal aborts. */
  connect(recorder: Teller, signal: AbortSignal): void {
    this.#recorder = recorder;
    signal.addEventListener('abort', () => {
      if (this.#recorder === recorder) this.#recorder = undefined;
    });
  }

  tell(happening: Happening): void {
    this.#recorder?.tell(happening);
  }

  repaired(host: string, drift: Drift): void {
    this.#recorder?.repaired(host, drift);
  }
}
