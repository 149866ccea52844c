import { setTimeout as sleep } from 'node:timers/promises';

/** Enough, even on a busy machine, for anything that must happen soon. */
const patience = 20_000;

/** Repeats the check until it passes. After `within` ms, fails with the last error. */
export async function eventually<T>(check: () => Promise<T>, within = patience): Promise<T> {
  const deadline = performance.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(25);
  }
}
