import { setTimeout as sleep } from 'node:timers/promises';
import { now } from './now.ts';

const pause = 500;

/** Tries until the work succeeds; once `within` ms are over, the error of the last try is thrown. */
export async function untilDone(within: number, work: () => Promise<unknown>): Promise<void> {
  const deadline = now() + within;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (now() > deadline) throw error;
      await sleep(pause);
    }
  }
}
