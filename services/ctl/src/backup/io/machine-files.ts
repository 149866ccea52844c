import { spawn } from 'node:child_process';
import { type FileHandle, link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CausewayError, isCausewayError } from '@causeway/model';
import { findProgram } from '@causeway/runtime/io';
import type { BackupFiles } from '../files.ts';

/** Exit status of a program that a signal ended, less the signal's number, as shells report it. */
const killedStatus = 128;

export const machineFiles: BackupFiles = {
  async write(path, parts) {
    const aside = `${path}.part`;
    try {
      const file = await open(aside, 'wx', 0o600);
      try {
        const size = await fill(file, parts);
        // Same as rename(2), but does not replace a file that was made there meanwhile.
        await link(aside, path);
        await syncDirectory(dirname(path));
        return size;
      } finally {
        await file.close();
        await rm(aside, { force: true });
      }
    } catch (error) {
      throw isCausewayError(error) ? error : unwritable(path, error);
    }
  },

  async restore(words) {
    const [program, ...args] = findProgram('causeway-manager') ?? [];
    if (program === undefined) {
      const message =
        'causeway-manager is neither beside this program nor on PATH: restore on the host of the new manager';
      throw new CausewayError('capability-missing', message);
    }
    const child = spawn(program, [...args, 'restore', ...words], { stdio: ['ignore', 'inherit', 'inherit'] });
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status) => resolve(status ?? killedStatus));
    });
  },
};

async function fill(file: FileHandle, parts: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const part of parts) {
    await file.writeFile(part);
    size += part.length;
  }
  await file.sync();
  return size;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}

function unwritable(path: string, cause: unknown): CausewayError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new CausewayError('disk-full', `${path}: the disk is full; nothing was kept`, { path }, { cause });
  const why = code === 'EEXIST' ? 'it, or its .part, exists already' : code;
  const message = `${path}: cannot be written (${why}); name a new file in a directory that this user may write to`;
  return new CausewayError('invalid-argument', message, { field: 'file', path }, { cause });
}
