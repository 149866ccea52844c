import { readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { dataDirFlag } from './flags.ts';

interface RunningEtcd {
  readonly pid: number;
  readonly flags: readonly string[];
}

/**
 * The etcd that runs on this directory now. Looked for among all processes: a manager that is killed right after it has
 * started one has told nobody of it.
 */
export function findRunning(dataDir: string): RunningEtcd | undefined {
  for (const name of readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? runningAs(Number(name), dataDir) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The same, if that is its number. Its command line names the directory, and the directory at that path is the same one for the
 * process as for us (proc(5)): systemd gives each start of a manager a mount namespace of its own.
 */
export function runningAs(pid: number, dataDir: string): RunningEtcd | undefined {
  // Empty for one that has ended and was not reaped.
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
