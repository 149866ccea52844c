import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Resources that a process has used, from proc(5). */
export interface Usage {
  /** CPU time, user and system, seconds. */
  readonly cpu: number;
  /** The part of it that the kernel used. */
  readonly system: number;
  /** Resident memory, bytes: now, and its peak so far. */
  readonly rss: number;
  readonly peakRss: number;
}

/** Clock ticks per second, the unit of times in /proc. */
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export function usage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields are counted after the name, which may contain any character: utime is field 14, stime field 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / ticks,
    system: Number(fields[12]) / ticks,
    rss: bytes('VmRSS'),
    peakRss: bytes('VmHWM'),
  };
}

/** CPU time of the processes while the work runs, seconds. */
export async function cpuDuring(pids: readonly number[], work: () => Promise<unknown>): Promise<number> {
  const before = cpuOf(pids);
  await work();
  return cpuOf(pids) - before;
}

export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + usage(pid).cpu, 0);
}
