import type { Clock, Duration, Log } from '@causeway/runtime';

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
