import type { Clock } from './clock.ts';
import type { Duration } from './duration.ts';

export interface LoopSettings {
  /** Does what there is to do now. Returns how long to rest then; undefined: until something wakes the loop. */
  readonly step: (signal: AbortSignal) => Promise<Duration | undefined>;
  /** Called with what a step threw, while the loop is to run. */
  readonly failed: (error: unknown) => void;
  /** From a step that failed to the next. */
  readonly retryAfter: Duration;
}

/**
 * Steps and rests for as long as its signal lets it: wait for a change or a tick, act, say so when that fails, go on.
 * A step never runs twice at once; what wakes the loop during a step causes one more.
 */
export class Loop {
  readonly #clock: Clock;
  readonly #settings: LoopSettings;
  #isWoken = false;
  #rest = new AbortController();

  constructor(parts: { readonly clock: Clock }, settings: LoopSettings) {
    this.#clock = parts.clock;
    this.#settings = settings;
  }

  /** Something may be there to do. */
  wake(): void {
    this.#isWoken = true;
    this.#rest.abort();
  }

  /** Resolves when the signal has aborted and no step runs any more; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { step, failed, retryAfter } = this.#settings;
    while (!signal.aborted) {
      this.#isWoken = false;
      try {
        await this.#pause(await step(signal), signal);
      } catch (error) {
        if (signal.aborted) return;
        failed(error);
        await this.#clock.sleep(retryAfter, signal);
      }
    }
  }

  async #pause(span: Duration | undefined, signal: AbortSignal): Promise<void> {
    if (this.#isWoken || signal.aborted) return;
    this.#rest = new AbortController();
    const either = AbortSignal.any([signal, this.#rest.signal]);
    if (span === undefined) await aborted(either);
    else await this.#clock.sleep(span, either);
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
