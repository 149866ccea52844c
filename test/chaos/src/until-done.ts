import { setTimeout as sleep } from 'node:timers/promises';
import { now } from './now.ts';

const pause = 500;

/** Tries until the work succeeds. After `within` ms, throws the error of the last try. */
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
