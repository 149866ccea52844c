import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for anything that is said to happen soon, on a machine that does much else. */
const patience = 20_000;

/** Repeats the check until it passes; fails as it last failed once `within` milliseconds are over. */
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
