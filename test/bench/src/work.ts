/** Runs the jobs with this many workers. Resolves when all are done. */
export async function inParallel<Job>(
  workers: number,
  jobs: readonly Job[],
  run: (job: Job, worker: number) => Promise<unknown>,
): Promise<void> {
  const queue = jobs.values();
  const work = async (_: unknown, worker: number): Promise<void> => {
    for (const job of queue) await run(job, worker);
  };
  await Promise.all(Array.from({ length: Math.min(workers, jobs.length) }, work));
}

/** Asks until the condition holds. Throws if it does not within the time, ms. */
export async function until(what: string, within: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + within;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${within} ms`);
    await pause(5);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Time that the work takes, ms. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Prints progress for people who wait. */
export function say(message: string): void {
  process.stderr.write(`bench:   ${message}\n`);
}
