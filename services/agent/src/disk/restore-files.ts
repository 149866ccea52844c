import { messageOf } from '@causeway/model';
import type { Log } from '@causeway/runtime';
import type { Files } from './files.ts';

/**
 * Writes again what was removed from the data directory while the agent runs. Otherwise the next agent would be a new host
 * to the managers, whose name is taken, and would not know its containers. Each of `records` writes its record if that is
 * lost. Tables are not restored: managers send them again.
 */
export async function restoreFiles(
  { files, log }: { readonly files: Files; readonly log: Log },
  records: readonly (() => Promise<void>)[],
): Promise<void> {
  try {
    await files.list().catch(() => files.open());
    for (const keep of records) await keep();
  } catch (error) {
    log.warn('ledger.not-written', { message: messageOf(error) });
  }
}
