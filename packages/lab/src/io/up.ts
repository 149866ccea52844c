import { readFile, writeFile } from 'node:fs/promises';
import { CausewayError, isCausewayError } from '@causeway/model';
import { hostsFile } from '../commands.ts';
import type { Progress } from '../labs.ts';
import { hostBatch, switchBatch } from '../links.ts';
import type { LabPlan } from '../plan.ts';
import { startCluster } from './cluster.ts';
import { labDown } from './down.ts';
import { ensureMountPoint } from './mount-point.ts';
import { createNamespaces, enterNetworkArguments } from './namespace.ts';
import type { ProcessId } from './proc.ts';
import { run } from './process.ts';
import { writePrograms } from './programs.ts';
import { checkRequirements } from './requirements.ts';
import { claimLab, initOf, type LabRecord, paths, saveLab } from './state.ts';

/** Number of lines of a log that are shown when its process prevents the lab from coming up. */
const lastLines = 10;

/**
 * Makes the lab; every agent has a session when this resolves. When it fails or the signal aborts, everything is removed.
 */
export async function makeLab(plan: LabPlan, progress: Progress, signal: AbortSignal): Promise<LabRecord> {
  checkRequirements();
  await claimLab(plan);
  // The first failure stops all other starts, so that nothing is started after the removal.
  const failed = new AbortController();
  try {
    const lab = await layHosts(plan, progress);
    await startCluster(lab, progress, AbortSignal.any([signal, failed.signal]));
    return lab;
  } catch (error) {
    failed.abort(error);
    await reportLog(error, progress);
    await labDown(plan.name);
    throw error;
  }
}

/** Makes only the hosts and their underlay. After a failure, `down` removes the rest. */
export async function makeHosts(plan: LabPlan, progress: Progress): Promise<LabRecord> {
  checkRequirements();
  await claimLab(plan);
  return layHosts(plan, progress);
}

/** Prints the last lines of the log that an error names, because the removal deletes the file. */
async function reportLog(error: unknown, progress: Progress): Promise<void> {
  const log = isCausewayError(error) ? error.data.log : undefined;
  if (typeof log !== 'string') return;
  const text = await readFile(log, 'utf8').catch(() => '');
  for (const line of text.trimEnd().split('\n').slice(-lastLines)) progress(`  ${line}`);
}

async function layHosts(plan: LabPlan, progress: Progress): Promise<LabRecord> {
  progress(`making ${plan.hosts.length} ${plan.hosts.length === 1 ? 'host' : 'hosts'} on ${plan.subnet}`);
  await ensureMountPoint();
  await writePrograms(paths.bin(plan.name));
  await writeFile(paths.hostsFile(plan.name), hostsFile(plan));
  const [first, ...inits] = await createNamespaces([
    { lab: plan.name, name: 'switch' },
    ...plan.hosts.map(({ name }) => ({ lab: plan.name, name, hostDir: paths.host(plan.name, name) })),
  ]);
  if (first === undefined) throw new CausewayError('internal', 'the switch was not made');
  const named = inits.flatMap((init, i) => {
    const name = plan.hosts[i]?.name;
    return name === undefined ? [] : [[name, init] as const];
  });
  const lab: LabRecord = { plan, switch: first, inits: Object.fromEntries(named) };
  await ipBatch(
    lab.switch,
    switchBatch(plan, (host) => initOf(lab, host).pid),
  );
  await Promise.all(plan.hosts.map((host) => ipBatch(initOf(lab, host), hostBatch(plan, host))));
  await saveLab(lab);
  return lab;
}

async function ipBatch(init: ProcessId, lines: readonly string[]): Promise<void> {
  await run('nsenter', [...enterNetworkArguments(init), 'ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
