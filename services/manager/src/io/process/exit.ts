import { isCausewayError, messageOf, visible } from '@causeway/model';
import type { Log } from '@causeway/runtime';

/** Exit code for settings that cannot be used; `exitFailed` is for a failure that may pass. */
export const exitUnusable = 2;
export const exitFailed = 1;
/** Exit code when another manager has the data directory or the name. That manager may end, and then a restart helps. */
const exitConflict = 4;

/** Writes one log line for programs and one line for people. Returns the exit code. */
export function reportFailure(log: Log, error: unknown): number {
  const known = isCausewayError(error) ? error : undefined;
  log.error('manager.failed', { code: known?.code, message: messageOf(error), ...known?.data });
  return tellFailure(error);
}

/** Writes one line for people. Returns the exit code. */
export function tellFailure(error: unknown): number {
  const known = isCausewayError(error) ? error : undefined;
  process.stderr.write(`causeway-manager: ${visible(messageOf(error))}\n`);
  if (known?.code === 'lock-held' || known?.code === 'name-taken') return exitConflict;
  return known?.kind === 'invalid' || known?.kind === 'denied' ? exitUnusable : exitFailed;
}
