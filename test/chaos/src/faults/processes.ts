import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Signals to processes. The kernel is asked for their state, because a signal that was sent may not have taken effect
 * yet.
 */

/** ms between two looks, and ms until a signal counts as lost. */
const pause = 10;
const limit = 5_000;

/** "R", "S", "T", … of proc_pid_stat(5); undefined: the process is gone, or a zombie. */
async function stateOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state === '' || state === 'Z' || state === 'X' ? undefined : state;
}

/** Sends the signal to each process and waits until all are in the state. Returns how many are when the time is over. */
async function signalUntil(
  pids: readonly number[],
  signal: NodeJS.Signals,
  holds: (state: string | undefined) => boolean,
  within: number,
): Promise<number> {
  for (const pid of pids) send(pid, signal);
  const deadline = performance.now() + within;
  for (;;) {
    const states = await Promise.all(pids.map(stateOf));
    const count = states.filter(holds).length;
    if (count === pids.length || performance.now() > deadline) return count;
    await sleep(pause);
  }
}

/** Returns how many are gone. */
export function killProcesses(pids: readonly number[], within = limit): Promise<number> {
  return signalUntil(pids, 'SIGKILL', (state) => state === undefined, within);
}

/** Returns how many are stopped. */
export function stopProcesses(pids: readonly number[], within = limit): Promise<number> {
  return signalUntil(pids, 'SIGSTOP', (state) => state === 'T', within);
}

export function continueProcesses(pids: readonly number[]): void {
  for (const pid of pids) send(pid, 'SIGCONT');
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // The process has ended meanwhile: it is missing in the count.
  }
}
