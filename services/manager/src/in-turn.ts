import type { Clock, Duration, Log } from '@causeway/runtime';

/** A part of what is to be stopped. */
interface StopStep {
  readonly name: string;
  /** So long is waited for it; what it has not ended by then ends with the process. */
  readonly limit: Duration;
  stop(): Promise<void>;
}

/**
 * Stops one part after the other, and waits for none longer than its limit: without a majority of the store each could wait for
 * a call that nothing answers, one after the other. A step that fails does not keep the next from its turn.
 */
export async function stopInTurn(
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
