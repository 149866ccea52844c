import { type Clock, type Duration, type Log, milliseconds } from '@causeway/runtime';

/** Time from the signal to the end of the process and its etcd, ms, even when nothing answers. systemd waits longer. */
const stopWithin = 4_600;
/** Time that each step of the stop has at least, ms, even when all steps before it were late. */
const leastForStep = 500;

/** One part to stop. */
interface StopStep {
  readonly name: string;
  /** How long to wait for this part. Work that has not ended by then ends with the process. */
  readonly limit: Duration;
  stop(): Promise<void>;
}

/**
 * Stops one part after the other, and waits for each no longer than its limit. Without a majority of the store, each part
 * could wait for a call that nothing answers. When a step fails, the next step still runs.
 */
export async function stopInOrder(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  steps: readonly StopStep[],
): Promise<void> {
  for (const { name, limit, stop } of steps) {
    const ended = new AbortController();
    const late = clock.sleep(limit, ended.signal).then(() => 'late' as const);
    try {
      const outcome = await Promise.race([stop(), late]);
      if (outcome === 'late') log.warn('manager.stop-late', { step: name });
    } catch (error) {
      log.warn('manager.stop-failed', { step: name, error });
    } finally {
      ended.abort();
      await late;
    }
  }
}

/**
 * Each step may use the time that is left, except the least time of the steps after it. So all steps have ended, or are
 * left behind, in time.
 */
export async function stopAll(
  parts: { readonly clock: Clock; readonly log: Log },
  steps: readonly (readonly [name: string, stop: () => Promise<unknown> | undefined])[],
): Promise<void> {
  const end = parts.clock.now() + stopWithin;
  for (const [i, [name, stop]] of steps.entries()) {
    const limit = milliseconds(end - parts.clock.now() - leastForStep * (steps.length - i - 1));
    await stopInOrder(parts, [{ name, limit, stop: async () => void (await stop()) }]);
  }
}
