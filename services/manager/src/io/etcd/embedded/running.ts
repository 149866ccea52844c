import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dataDirFlag } from './flags.ts';

export interface RunningEtcd {
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

/** The same, if that is its number. Its command line proves it, and that the path means to it what it means to us (proc(5)). */
export function runningAs(pid: number, dataDir: string): RunningEtcd | undefined {
  // Empty for one that has ended and was not reaped.
  const flags = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1, -1));
  if (flags?.includes(dataDirFlag(dataDir)) !== true) return undefined;
  const mounts = attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
  return mounts === readlinkSync('/proc/self/ns/mnt') ? { pid, flags } : undefined;
}

function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
