import { setTimeout as sleep } from 'node:timers/promises';

/** Enough, even in a guest on a busy machine, for anything that must happen soon, ms. */
const patience = 20_000;
const pollEvery = 20;

/** Asks until it holds. Resolves to how long that took, ms. */
export async function until(what: string, holds: () => Promise<boolean>, within = patience): Promise<number> {
  const began = performance.now();
  while (!(await holds())) {
    if (performance.now() - began > within) throw new Error(`${what}: not within ${within / 1000} s`);
    await sleep(pollEvery);
  }
  return performance.now() - began;
}
