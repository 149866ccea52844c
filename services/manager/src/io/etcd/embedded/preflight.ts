import { constants } from 'node:fs';
import { access, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { type EmbeddedEtcdSettings, etcdDirectory } from './flags.ts';

/** etcd warns little; a log that has grown beyond this says the same thing over and over. */
const maxLogBytes = 16 * 1024 * 1024;

/** Makes the directories, private to the manager's user; "invalid-argument" names the flag and the path that cannot be written. */
export async function prepareDirectory(dataDir: string): Promise<void> {
  const directory = etcdDirectory(dataDir);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    // access(2) asks about permissions only; a read-only or full file system shows when something is made.
    const probe = join(directory, '.writable');
    await (await open(probe, 'w')).close();
    await rm(probe);
  } catch (error) {
    throw new CausewayError(
      'invalid-argument',
      `--data-dir ${dataDir}: etcd's directory ${directory} cannot be written (${reason(error)}); name a directory that can`,
      { field: 'data-dir', path: directory },
      { cause: error },
    );
  }
}

/** "invalid-argument" names the port that is taken and what to do; etcd itself would say so in its log only. */
export async function checkPorts({ clientPort, peerPort }: EmbeddedEtcdSettings): Promise<void> {
  await checkPort(
    clientPort,
    'etcd-client-port',
    `, or use the etcd that is there: --etcd http://127.0.0.1:${clientPort}`,
  );
  await checkPort(peerPort, 'etcd-peer-port', '');
}

export async function rotateLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > maxLogBytes) await rename(path, `${path}.1`);
}

async function checkPort(port: number, flag: string, alternative: string): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch (error) {
    throw new CausewayError(
      'invalid-argument',
      `--${flag}: the embedded etcd cannot listen on 127.0.0.1:${port} (${reason(error)}); choose a free port${alternative}`,
      { field: flag, port },
      { cause: error },
    );
  }
  await new Promise((resolve) => server.close(resolve));
}

function reason(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return String(error);
}
