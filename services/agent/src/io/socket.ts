import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { CausewayError } from '@causeway/model';
import { makeDirectory } from '@causeway/runtime/io';

/** sizeof(sockaddr_un.sun_path) less the final zero (unix(7)). */
const longestPath = 107;

/**
 * Prepares the path for a unix socket: removes the socket of a dead agent, and refuses the path while an agent listens
 * there.
 */
export async function prepareSocket(path: string): Promise<void> {
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
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw refuse(path, 'is not a socket: remove the file, or use another path');
  if (await answers(path)) throw refuse(path, 'is served by another agent: stop that agent, or use another path');
  await rm(path, { force: true });
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
