import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { EtcdCredentials } from '../etcd/credentials.ts';
import { getText } from '../etcd/http.ts';
import { embeddedEnvironment } from './flags.ts';
import { runningAs } from './running-etcd.ts';

/** A running etcd, started by this manager or by the manager process before it. */
export interface EtcdProcess {
  readonly pid: number;
  /** Resolves with how the process ended. */
  readonly exited: Promise<string>;
  /** False once the process has ended: another process may have its pid by then. */
  isRunning(): boolean;
}

/** Time between two looks at an adopted process. Its parent is init, so the manager gets no notification when it ends. */
const pollInterval = milliseconds(250);

/** Limit of one question whether etcd is healthy. */
const healthLimit = seconds(2);

/** How long etcd may take to end after SIGTERM. */
const terminationGrace = seconds(10);

/**
 * Starts etcd in a process group of its own, so that Ctrl-C at the manager's terminal does not end etcd before the
 * manager has stopped writing. etcd logs to a file, so that it survives a manager that is killed. Throws what spawn(2)
 * throws.
 */
export async function spawnEtcd(binary: string, flags: readonly string[], logPath: string): Promise<EtcdProcess> {
  const log = openSync(logPath, 'a', 0o640);
  try {
    const environment = embeddedEnvironment(process.env);
    const child = spawn(binary, flags, { detached: true, stdio: ['ignore', log, log], env: environment });
    const exited = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal === null ? `exit status ${code}` : `signal ${signal}`));
    });
    const { pid } = child;
    if (pid === undefined) return await new Promise((_, reject) => child.once('error', reject));
    child.unref();
    return { pid, exited, isRunning: () => child.exitCode === null && child.signalCode === null };
  } finally {
    closeSync(log);
  }
}

/** Adopts an etcd that runs on the directory, and watches it until it ends. */
export function adoptEtcd(pid: number, dataDir: string, clock: Clock): EtcdProcess {
  const isRunning = (): boolean => runningAs(pid, dataDir) !== undefined;
  const exited = (async () => {
    while (isRunning()) await clock.sleep(pollInterval);
    return 'exit status unknown, not a child process';
  })();
  return { pid, exited, isRunning };
}

/** Sends SIGTERM, and SIGKILL if etcd does not end. Resolves when the process is gone. */
export async function terminate(etcd: EtcdProcess, clock: Clock): Promise<void> {
  if (!etcd.isRunning()) return;
  const timer = new AbortController();
  const late = clock.sleep(terminationGrace, timer.signal).then(() => 'late' as const);
  kill(etcd.pid, 'SIGTERM');
  const outcome = await Promise.race([etcd.exited, late]);
  timer.abort();
  if (outcome !== 'late') return;
  kill(etcd.pid, 'SIGKILL');
  await etcd.exited;
}

/** Resolves to true when etcd answers as a member with a leader; to false when etcd has ended or the time is over. */
export async function becomesHealthy(
  {
    etcd,
    url,
    credentials,
  }: { readonly etcd: EtcdProcess; readonly url: string; readonly credentials: EtcdCredentials },
  clock: Clock,
  limit: Duration,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = clock.now() + limit;
  while (etcd.isRunning() && !signal.aborted && clock.now() < deadline) {
    if (await isHealthy(url, credentials)) return true;
    await clock.sleep(milliseconds(50), signal);
  }
  return false;
}

function isHealthy(url: string, credentials: EtcdCredentials): Promise<boolean> {
  return getText(new URL('/health', url), healthLimit, credentials).then(
    () => true,
    () => false,
  );
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // ESRCH: the process has just ended, as desired.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
