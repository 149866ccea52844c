import { chmod, lstat, rename, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { CausewayError } from '@causeway/model';
import { makeDirectory } from '@causeway/runtime/io';

/** Bits of a directory's mode (chmod(2)). */
const writableByOthers = 0o022;
const sticky = 0o1000;
/** Marks the path at which a socket is before it takes its place. */
const mark = '+';
/** sizeof(sockaddr_un.sun_path) less the final zero (unix(7)), and less the mark. */
const longestPath = 107 - mark.length;

/**
 * Puts a unix socket at the path. `bind` makes the socket at the path that it gets, and listens on it. The socket of a dead
 * agent stays until the new socket replaces it: a caller that finds no socket takes the host for one without an agent, but
 * calls again when a socket refuses it. The path is refused while an agent listens there.
 */
export async function placeSocket(path: string, bind: (path: string) => Promise<void>): Promise<void> {
  await checkSocket(path);
  const beside = `${path}${mark}`;
  await rm(beside, { force: true });
  await bind(beside);
  await chmod(beside, 0o600);
  await rename(beside, path);
}

async function checkSocket(path: string): Promise<void> {
  if (!path.startsWith('/') || Buffer.byteLength(path) > longestPath) {
    throw refuse(path, `must be an absolute path of at most ${longestPath} bytes`);
  }
  try {
    await makeDirectory(dirname(path), 0o755);
  } catch (error) {
    throw refuse(
      path,
      `its directory cannot be created (${(error as NodeJS.ErrnoException).code}): use a path in another directory`,
      error,
    );
  }
  const { mode } = await stat(dirname(path));
  // In a directory with the sticky bit (/tmp), only its owner may replace the socket (path_resolution(7)).
  if ((mode & writableByOthers) !== 0 && (mode & sticky) === 0)
    throw refuse(
      path,
      'is in a directory that others may change, so they could put their own socket there: use another',
    );
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw refuse(path, 'is not a socket: remove the file, or use another path');
  if (await answers(path)) throw refuse(path, 'is served by another agent: stop that agent, or use another path');
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function refuse(path: string, why: string, cause?: unknown): CausewayError {
  return new CausewayError('invalid-argument', `socket ${path} ${why}`, { field: 'socket', socket: path }, { cause });
}
