import { CausewayError } from '@causeway/model';
import type { Lock } from '@causeway/runtime';

/**
 * Only one process writes a manager's data directory: the manager, or a restore. The lock is held until the process ends.
 * The manager's etcd does not hold the lock, so an etcd that outlives a killed manager does not block the next manager.
 * @throws CausewayError lock-held, which names the process that has the lock
 */
export async function claimDataDir(lock: Lock, { dataDir }: { readonly dataDir: string }): Promise<() => void> {
  const outcome = await lock.take();
  if (outcome.kind === 'held') return outcome.release;
  const { pid } = outcome;
  const who = pid === undefined ? '' : ` (process ${pid})`;
  const how = pid === undefined ? '' : ` (systemctl stop causeway-manager, or kill ${pid})`;
  const message = `--data-dir ${dataDir} is used by another manager${who}: stop it${how} first, or name another directory`;
  throw new CausewayError('lock-held', message, { field: '--data-dir', ...(pid !== undefined && { pid }) });
}
