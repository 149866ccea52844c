import { type Clock, waitOver } from './clock.ts';
import type { Duration } from './duration.ts';

export interface LoopSettings {
  /**
   * Does the present work, until `signal` aborts at the end of the loop. Returns how long to rest afterwards; undefined: until
   * the loop is woken.
   */
  readonly step: (signal: AbortSignal) => Promise<Duration | undefined>;
  /** Called with the error of a failed step, unless the loop is ending. */
  readonly failed: (error: unknown) => void;
  /** Pause after a failed step. */
  readonly retryAfter: Duration;
}

/**
 * Alternates between steps and rests until the signal aborts: it waits for a change or a tick, acts, reports a failure,
 * and goes on. Two steps never run at the same time. A wake during a step causes one more step.
 */
export class Loop {
  readonly #clock: Clock;
  readonly #settings: LoopSettings;
  #isWoken = false;
  /** Ends the present rest. */
  #endRest = (): void => undefined;

  constructor(parts: { readonly clock: Clock }, settings: LoopSettings) {
    this.#clock = parts.clock;
    this.#settings = settings;
  }

  /** There may be work. */
  wake(): void {
    this.#isWoken = true;
    this.#endRest();
  }

  /** Resolves when `until` has aborted and no step runs any more; never rejects. */
  async run(until: AbortSignal): Promise<void> {
    const { step, failed, retryAfter } = this.#settings;
    // Node takes more than ten listeners at one signal for a leak, and many loops run until the same signal. So a loop and its
    // steps listen at a signal of the loop, which is no listener of `until`.
    const signal = AbortSignal.any([until]);
    signal.addEventListener('abort', () => this.#endRest());
    while (!signal.aborted) {
      this.#isWoken = false;
      try {
        await this.#pause(await step(signal), signal);
      } catch (error) {
        if (signal.aborted) break;
        failed(error);
        await this.#clock.sleep(retryAfter, signal);
      }
    }
  }

  /** One listener serves all rests: a signal made of two others for each rest costs more than many a step. */
  async #pause(span: Duration | undefined, signal: AbortSignal): Promise<void> {
    if (this.#isWoken || signal.aborted) return;
    if (span === undefined) {
      await new Promise<void>((resolve) => {
        this.#endRest = resolve;
      });
    } else {
      const rest = new AbortController();
      this.#endRest = () => rest.abort(waitOver);
      await this.#clock.sleep(span, rest.signal);
    }
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
