import type { Clock } from '../clock.ts';
import type { Duration } from '../duration.ts';

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: (span: Duration, signal?: AbortSignal) =>
    new Promise<void>((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, span);
      signal?.addEventListener('abort', done);
    }),
  yield: () => new Promise<void>((resolve) => setImmediate(resolve)),
};
