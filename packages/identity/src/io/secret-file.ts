import { randomUUID } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CausewayError } from '@causeway/model';
import { makeDirectory } from '@causeway/runtime/io';

/** The bits of a file's mode for its group and for others. */
const notOwner = 0o077;
/** The bits of a directory's mode by which these may put another file in the place of a file. */
const notOwnerWrites = 0o022;

/**
 * Writes a file that only its owner may read. Durable when it resolves; after a crash the file is whole or as before. A
 * directory that does not exist is made, for its owner only.
 */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const directory = dirname(path);
  await makeDirectory(directory, 0o700);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const renamed = await open(directory, 'r');
  await renamed.sync().finally(() => renamed.close());
}

/**
 * Undefined: there is no such file.
 * @throws CausewayError key-exposed when others may read or change the file: its content may be known, so it is not used
 */
export async function readSecretFile(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { mode, uid } = await file.stat();
    if ((mode & notOwner) !== 0) throw exposed(path, `its mode is ${(mode & 0o777).toString(8)}; expected 600`);
    checkOwner(path, 'it', uid);
    const directory = dirname(path);
    const around = await stat(directory);
    checkOwner(path, directory, around.uid);
    if ((around.mode & notOwnerWrites) !== 0)
      throw exposed(path, `users other than the owner may write to ${directory}`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** An owner can do everything with a file, and can put another file into a directory. Root can in any case. */
function checkOwner(path: string, what: string, uid: number): void {
  const own = process.geteuid?.();
  if (uid !== own && uid !== 0)
    throw exposed(path, `${what} belongs to the user ${uid}, not to this process's user ${own}`);
}

function exposed(path: string, why: string): CausewayError {
  const message = `${path} contains a secret that others may have read or changed: ${why}. If only this host's administrators have had access, correct the file; otherwise remove this host from the cluster and join again`;
  return new CausewayError('key-exposed', message, { path });
}
