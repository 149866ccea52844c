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

/** How long killed processes may take to go, ms: a namespace's first one takes all others in it along. */
const goneWithin = 30_000;
/** How long those that wait for a killed one may take to notice, ms. */
const reapedWithin = 1_000;

/**
 * Leaves nothing of the lab, whatever of it was killed or lost before: its processes are found by their environment,
 * and all else (mounts, links, addresses) lives in namespaces that end with them. Throws `lab-unknown`.
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

/** Names of the labs of which there is a folder or a process. */
export async function existingLabs(): Promise<readonly string[]> {
  const prefix = `${labsDir}/`;
  const running = [...(await valuesInEnvironments(labVariable))].filter((path) => path.startsWith(prefix));
  return [...new Set([...(await labNames()), ...running.map((path) => path.slice(prefix.length))])].sort();
}

/**
 * Inside the namespaces first: what waits for them outside (`unshare`, `nsenter`) then reaps them and ends by itself.
 * Again until none is found, since one may have been starting another.
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
  throw new CausewayError('timed-out', `some processes of the lab do not end although killed: of ${pids}`);
}
