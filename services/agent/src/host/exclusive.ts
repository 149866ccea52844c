import { CausewayError } from '@causeway/model';
import type { Lock } from '@causeway/runtime';

/** Name of the socket that marks a network namespace as having an agent. */
export const hostLock = 'causeway-agent';

export interface HostLocks {
  /** Lock of the network namespace that the agent programs. */
  readonly host: Lock;
  /** Lock of the data directory. */
  readonly dataDir: Lock;
}

/**
 * Only one agent may program a host, and only one may write a data directory. A second agent, whatever its options, ends
 * here before it touches anything. The locks are held until the process ends. Returns a function that releases them
 * earlier.
 * @throws CausewayError lock-held, which names the process that runs
 */
export async function claimHost(locks: HostLocks, settings: { readonly dataDir: string }): Promise<() => void> {
  const { dataDir } = settings;
  const host = await locks.host.take();
  if (host.kind === 'taken') {
    const message = `another agent ${named(host.pid)} runs on this host: a host has one agent, whatever its --data-dir and --socket; ${remedy(host.pid)} first`;
    throw new CausewayError('lock-held', message, heldBy(host.pid));
  }
  const directory = await locks.dataDir.take().catch((error: unknown) => {
    host.release();
    throw error;
  });
  if (directory.kind === 'taken') {
    host.release();
    const message = `--data-dir ${dataDir} is used by another agent ${named(directory.pid)}: ${remedy(directory.pid)} first, or give this one a directory of its own`;
    throw new CausewayError('lock-held', message, { field: '--data-dir', ...heldBy(directory.pid) });
  }
  return () => {
    directory.release();
    host.release();
  };
}

function named(pid: number | undefined): string {
  return pid === undefined ? '(of another PID namespace)' : `(process ${pid})`;
}

function remedy(pid: number | undefined): string {
  return pid === undefined ? 'stop it' : `stop it (systemctl stop causeway-agent, or kill ${pid})`;
}

function heldBy(pid: number | undefined): { pid?: number } {
  return pid === undefined ? {} : { pid };
}
