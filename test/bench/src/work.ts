/** Runs the jobs with so many workers; resolves when all are done. */
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

/** Asks until it is so; throws when it is not within the time, in milliseconds. */
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

/** Milliseconds the work takes. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** For people, while they wait. */
export function say(message: string): void {
  process.stderr.write(`bench:   ${message}\n`);
}
