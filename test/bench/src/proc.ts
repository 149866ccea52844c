import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What processes have used, by proc(5). */
export interface Usage {
  /** Seconds of processor, user and system. */
  readonly cpu: number;
  /** Bytes resident now, and at most so far. */
  readonly rss: number;
  readonly peakRss: number;
}

/** Clock ticks per second that /proc counts in. */
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

export function usage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields are counted from behind the name, which may hold anything: utime is the 14th field, stime the 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / ticks,
    rss: bytes('VmRSS'),
    peakRss: bytes('VmHWM'),
  };
}

/** Seconds of processor the processes use while the work runs. */
export async function cpuDuring(pids: readonly number[], work: () => Promise<unknown>): Promise<number> {
  const before = cpuOf(pids);
  await work();
  return cpuOf(pids) - before;
}

export function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + usage(pid).cpu, 0);
}
