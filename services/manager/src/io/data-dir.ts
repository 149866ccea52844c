import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { CausewayError } from '@causeway/model';
import { makeDirectory } from '@causeway/runtime/io';

/** Makes the manager's data directory. @throws CausewayError invalid-argument when it cannot be used */
export async function prepareDataDir(path: string): Promise<void> {
  try {
    await makeDirectory(path, 0o700);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const message = `--data-dir ${path}: cannot be written (${why}); name a directory that this user may write to`;
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: path }, { cause });
  }
}
