import { constants } from 'node:fs';
import { access, mkdir, open, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { type EmbeddedEtcdSettings, etcdDirectory } from './flags.ts';

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

/** "invalid-argument" names the port that is taken, or the address that is not this host's, and what to do; etcd itself would say so in its log only. */
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
    // The port may be free, or the address there, a moment later: so no refusal of the setting itself.
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
