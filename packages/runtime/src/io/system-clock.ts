import type { Clock } from '../clock.ts';
import type { Duration } from '../duration.ts';

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: (span: Duration, signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal?.aborted === true) return resolve();
      const until = performance.now() + span;
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      // Node counts whole milliseconds from the time at which its loop last read the clock, so a timer may fire up to 1
      // ms early. A caller that then checks the time would find it too early, and sleep for ever.
      const ring = (): void => {
        const left = until - performance.now();
        if (left <= 0) done();
        else timer = setTimeout(ring, Math.ceil(left));
      };
      let timer = setTimeout(ring, span);
      signal?.addEventListener('abort', done);
    }),
  yield: () => new Promise<void>((resolve) => setImmediate(resolve)),
};
