import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import type { LabHost, LabPlan, ProcessKind } from '../plan.ts';
import type { ProcessId } from './proc.ts';

/** Folder with one folder for each lab of this machine. It is removed with the last lab. */
export const labsDir = '/run/causeway-lab';

/** The record of a complete lab: its plan, and the first process of each host and of the switch. */
export interface LabRecord {
  readonly plan: LabPlan;
  readonly switch: ProcessId;
  readonly inits: Readonly<Record<string, ProcessId>>;
}

export const paths = {
  lab: (name: string): string => join(labsDir, name),
  bin: (name: string): string => join(labsDir, name, 'bin'),
  hostsFile: (name: string): string => join(labsDir, name, 'hosts'),
  host: (name: string, host: string): string => join(labsDir, name, host),
  /** The folder that the host sees as /run. */
  run: (name: string, host: string): string => join(labsDir, name, host, 'run'),
  /** The folder that the host sees as /run/causeway-operator. */
  operator: (name: string, host: string): string => join(labsDir, name, host, 'run/causeway-operator'),
  log: (name: string, host: string, kind: ProcessKind): string => join(labsDir, name, host, 'log', `${kind}.log`),
};

/** The first process of a host. */
export function initOf(lab: LabRecord, host: LabHost): ProcessId {
  const init = lab.inits[host.name];
  if (init === undefined) throw new CausewayError('internal', `lab ${lab.plan.name} has no record of ${host.name}`);
  return init;
}

/** Claims the name and makes the folders; throws `lab-exists`. */
export async function claimLab(plan: LabPlan): Promise<void> {
  await mkdir(labsDir, { recursive: true, mode: 0o700 });
  try {
    await mkdir(paths.lab(plan.name));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    const message = `a lab named ${plan.name} exists: take another --name, or "causeway lab down --name ${plan.name}"`;
    throw new CausewayError('lab-exists', message, { lab: plan.name }, { cause });
  }
  await mkdir(paths.bin(plan.name));
  for (const host of plan.hosts) {
    await mkdir(join(paths.host(plan.name, host.name), 'log'), { recursive: true });
    await mkdir(join(paths.run(plan.name, host.name), 'causeway-bin'), { recursive: true });
  }
}

export async function saveLab(lab: LabRecord): Promise<void> {
  await writeJson(join(paths.lab(lab.plan.name), 'lab.json'), lab);
}

/** Throws `lab-unknown`, also for a lab whose setup is unfinished. */
export async function loadLab(name: string): Promise<LabRecord> {
  const lab = await readJson<LabRecord>(join(paths.lab(name), 'lab.json'));
  if (lab !== undefined) return lab;
  const labs = await labNames();
  if (!labs.includes(name)) throw labUnknown(name, labs);
  const message = `lab ${name} is incomplete: "causeway lab up" still runs or was killed; "causeway lab down --name ${name}" removes it`;
  throw new CausewayError('lab-unknown', message, { lab: name });
}

export function labUnknown(name: string, labs: readonly string[]): CausewayError {
  const known = labs.length === 0 ? 'no lab exists' : `existing labs: ${labs.join(', ')}`;
  return new CausewayError('lab-unknown', `there is no lab "${name}" (--name); ${known}`, { lab: name });
}

/** Names of the labs that have a folder, complete or not. */
export async function labNames(): Promise<readonly string[]> {
  const entries = await readdir(labsDir, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

export async function removeLab(name: string): Promise<void> {
  await rm(paths.lab(name), { recursive: true, force: true });
}

export async function saveProcess(plan: LabPlan, host: LabHost, kind: ProcessKind, process: ProcessId): Promise<void> {
  await writeJson(processFile(plan, host, kind), process);
}

/** The process as it was last started; it may have ended since. */
export async function loadProcess(plan: LabPlan, host: LabHost, kind: ProcessKind): Promise<ProcessId | undefined> {
  return readJson<ProcessId>(processFile(plan, host, kind));
}

function processFile(plan: LabPlan, host: LabHost, kind: ProcessKind): string {
  return join(paths.host(plan.name, host.name), `${kind}.json`);
}

/** Writes the whole file or nothing, even if this process is killed. */
async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify(value));
  await rename(`${path}.new`, path);
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
