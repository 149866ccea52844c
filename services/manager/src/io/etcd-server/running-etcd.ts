import { readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { dataDirFlag } from './flags.ts';

interface RunningEtcd {
  readonly pid: number;
  readonly flags: readonly string[];
}

/**
 * Finds the etcd that runs on this directory. It searches all processes, because a manager that was killed right after it
 * started an etcd has left no record of it.
 */
export function findRunning(dataDir: string): RunningEtcd | undefined {
  for (const name of readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? runningAs(Number(name), dataDir) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The etcd that runs on this directory, if it has this pid. Its command line must name the directory, and the path must
 * be the same directory for the process as for us (proc(5)): systemd gives each start of a manager a mount namespace of
 * its own.
 */
export function runningAs(pid: number, dataDir: string): RunningEtcd | undefined {
  // Empty for a process that has ended and was not reaped.
  const flags = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1, -1));
  if (flags?.includes(dataDirFlag(dataDir)) !== true) return undefined;
  const theirs = attempt(() => statSync(`/proc/${pid}/root${resolve(dataDir)}`, { bigint: true }));
  const ours = attempt(() => statSync(dataDir, { bigint: true }));
  const isSame = theirs !== undefined && theirs.dev === ours?.dev && theirs.ino === ours.ino;
  return isSame ? { pid, flags } : undefined;
}

function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
