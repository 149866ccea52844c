import { CausewayError } from '@causeway/model';
import { checkLabName } from '../plan.ts';
import { removeMountPoint } from './mount-point.ts';
import { labVariable } from './namespace.ts';
import {
  findByEnvironment,
  livingHere,
  type ProcessId,
  signalProcess,
  valuesInEnvironments,
  waitGone,
} from './proc.ts';
import { checkRoot } from './requirements.ts';
import { labNames, labsDir, labUnknown, paths, removeLab } from './state.ts';

/** Time for killed processes to end, ms. With the first process of a namespace, all others in it end. */
const goneWithin = 30_000;
/** Time for the parents of killed processes to notice, ms. */
const reapedWithin = 1_000;

/**
 * Removes everything of the lab, even if parts of it were killed or lost before. Its processes are found by their
 * environment; mounts, links and addresses are in namespaces, which end with the processes. Throws `lab-unknown`.
 */
export async function labDown(name: string): Promise<void> {
  checkRoot();
  checkLabName(name);
  const labs = await existingLabs();
  if (!labs.includes(name)) throw labUnknown(name, labs);
  await killAll(`${labVariable}=${paths.lab(name)}`);
  await removeLab(name);
  await removeMountPoint();
}

/** Names of the labs that have a folder or a process. */
export async function existingLabs(): Promise<readonly string[]> {
  const prefix = `${labsDir}/`;
  const running = [...(await valuesInEnvironments(labVariable))].filter((path) => path.startsWith(prefix));
  return [...new Set([...(await labNames()), ...running.map((path) => path.slice(prefix.length))])].sort();
}

/**
 * Kills the processes inside the namespaces first. Their parents outside (`unshare`, `nsenter`) then reap them and end by
 * themselves. Repeats until no process is found, because a process may have been starting another.
 */
async function killAll(variable: string): Promise<void> {
  for (;;) {
    const processes = await findByEnvironment(variable);
    if (processes.length === 0) return;
    const outside = await livingHere(processes);
    const inside = processes.filter((process) => !outside.includes(process));
    await kill(inside);
    if (!(await waitGone(outside, reapedWithin))) await kill(outside);
  }
}

async function kill(processes: readonly ProcessId[]): Promise<void> {
  await Promise.all(processes.map((process) => signalProcess(process, 'SIGKILL')));
  if (await waitGone(processes, goneWithin)) return;
  const pids = processes.map((process) => process.pid).join(', ');
  throw new CausewayError('timed-out', `some processes of the lab still run after SIGKILL: PIDs ${pids}`);
}
