import { constants } from 'node:fs';
import { access, mkdir, open, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { type EmbeddedEtcdSettings, etcdDirectory } from './flags.ts';

/**
 * Makes the directories, private to the manager's user. Throws "invalid-argument", which names the flag and the path that
 * cannot be written.
 */
export async function prepareDirectory(dataDir: string): Promise<void> {
  const directory = etcdDirectory(dataDir);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    // access(2) checks permissions only; a read-only or full file system shows only when a file is made.
    const probe = join(directory, '.writable');
    await (await open(probe, 'w')).close();
    await rm(probe);
  } catch (error) {
    throw new CausewayError(
      'invalid-argument',
      `--data-dir ${dataDir}: etcd's directory ${directory} cannot be written (${reason(error)}); name a directory that this user may write to`,
      { field: 'data-dir', path: directory },
      { cause: error },
    );
  }
}

/**
 * Checks that etcd can listen; etcd itself would only log a failure.
 * @throws CausewayError listen-failed, which names the port that is taken or the address that is not this host's, and
 * what to do
 */
export async function checkPorts({ address, clientPort, peerPort }: EmbeddedEtcdSettings): Promise<void> {
  const useIt = `, or use the etcd that is there: --etcd http://127.0.0.1:${clientPort}`;
  for (const host of new Set(['127.0.0.1', address])) await checkPort(host, clientPort, 'etcd-client-port', useIt);
  await checkPort(address, peerPort, 'etcd-peer-port', '');
}

async function checkPort(host: string, port: number, flag: string, alternative: string): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    const why = reason(error);
    const [field, advice] =
      why === 'EADDRNOTAVAIL'
        ? ['etcd-peer-address', 'give an IP address of this host']
        : [flag, `choose a free port${alternative}`];
    // The port may become free, or the address appear, a moment later. So the error does not say that the setting is
    // invalid.
    throw new CausewayError(
      'listen-failed',
      `--${field}: the embedded etcd cannot listen on ${host}:${port} (${why}); ${advice}`,
      { field, port },
      { cause: error },
    );
  }
  await new Promise((resolve) => server.close(resolve));
}

function reason(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return String(error);
}
