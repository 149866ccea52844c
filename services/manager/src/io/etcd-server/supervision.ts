import { type Backoff, type Clock, delays, type Log, milliseconds, type Random, seconds } from '@causeway/runtime';
import type { EtcdProcess } from './etcd-process.ts';

const restartBackoff: Backoff = { first: milliseconds(200), max: seconds(10), factor: 2 };
/** When etcd has run for this long, the restart backoff begins again at its first pause. */
const steadyAfter = seconds(60);

/** The etcd that is supervised. */
interface Supervised {
  /** Starts etcd again. */
  spawn(): Promise<EtcdProcess>;
  /** Which process runs now; undefined: none. */
  replaced(etcd: EtcdProcess | undefined): void;
  /** The manager itself has ended this process, to start it anew. */
  wasEnded(etcd: EtcdProcess): boolean;
  /** Whether etcd has ended because the member was removed from the cluster. */
  isRemoved(): Promise<boolean>;
  removed(): void;
}

interface SupervisionParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Restarts etcd whenever it ends, until the manager stops or the member is removed from the cluster. Clients of etcd
 * reconnect by themselves.
 */
export async function supervise(
  { clock, random, log }: SupervisionParts,
  supervised: Supervised,
  first: EtcdProcess,
  signal: AbortSignal,
): Promise<void> {
  const stopped = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined));
  });
  let etcd: EtcdProcess | undefined = first;
  let pauses = delays(restartBackoff, random);
  while (!signal.aborted) {
    const since = clock.now();
    const reason = etcd === undefined ? 'not started' : await Promise.race([etcd.exited, stopped]);
    if (signal.aborted || reason === undefined) return;
    if (await supervised.isRemoved()) {
      supervised.replaced(undefined);
      supervised.removed();
      return;
    }
    if (clock.now() - since > steadyAfter) pauses = delays(restartBackoff, random);
    if (etcd !== undefined && supervised.wasEnded(etcd)) {
      log.info('etcd.restarting', { pid: etcd.pid });
    } else {
      const pause = pauses.next().value;
      log.warn('etcd.exited', { pid: etcd?.pid, reason, restartIn: pause });
      await clock.sleep(pause, signal);
    }
    if (signal.aborted) return;
    etcd = await supervised.spawn().catch((error: unknown) => {
      log.error('etcd.start-failed', { error: String(error) });
      return undefined;
    });
    supervised.replaced(etcd);
  }
}
