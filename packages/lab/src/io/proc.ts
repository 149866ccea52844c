import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process of this machine. The start time distinguishes it from a later process with the same pid. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat (proc_pid_stat(5)). */
  readonly started: string;
}

/** The process with that pid, unless it is gone or a zombie. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  const stat = await readStat(pid);
  return stat === undefined ? undefined : { pid, started: stat.started };
}

export async function isRunning(process: ProcessId): Promise<boolean> {
  return (await readStat(process.pid))?.started === process.started;
}

/** Sends the signal to just that process; false when it is gone. */
export async function signalProcess(target: ProcessId, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isRunning(target))) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Resolves to true once all processes are gone; to false when some still run after `within` ms. */
export async function waitGone(processes: readonly ProcessId[], within: number): Promise<boolean> {
  const deadline = performance.now() + within;
  for (;;) {
    const alive = await Promise.all(processes.map(isRunning));
    if (!alive.includes(true)) return true;
    if (performance.now() > deadline) return false;
    await sleep(5);
  }
}

/** By pid of the parent: its children, over all processes that are not zombies. */
export async function childrenByParent(): Promise<ReadonlyMap<number, readonly ProcessId[]>> {
  const children = new Map<number, ProcessId[]>();
  for (const pid of await pids()) {
    const stat = await readStat(pid);
    if (stat === undefined) continue;
    const siblings = children.get(stat.parent) ?? [];
    siblings.push({ pid, started: stat.started });
    children.set(stat.parent, siblings);
  }
  return children;
}

/** The process that the PID namespace of `init` knows as `innerPid`. */
export async function findInNamespace(init: ProcessId, innerPid: number): Promise<ProcessId | undefined> {
  const namespace = await pidNamespace(init.pid);
  if (namespace === undefined) return undefined;
  for (const pid of await pids()) {
    if ((await pidNamespace(pid)) !== namespace) continue;
    const status = await readProc(pid, 'status');
    // "NSpid: OUTER INNER", the innermost last (proc_pid_status(5)).
    const inner = /^NSpid:.*?(\d+)$/m.exec(status ?? '')?.[1];
    if (inner === String(innerPid)) return identify(pid);
  }
  return undefined;
}

/** Processes in the PID namespace of `init` that have the word in their command line. */
export async function findByArgument(init: ProcessId, argument: string): Promise<readonly ProcessId[]> {
  const namespace = await pidNamespace(init.pid);
  const found: ProcessId[] = [];
  for (const pid of await pids()) {
    if (namespace === undefined || (await pidNamespace(pid)) !== namespace) continue;
    const words = ((await readProc(pid, 'cmdline')) ?? '').split('\0');
    const identity = words.includes(argument) ? await identify(pid) : undefined;
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

/** Processes whose environment at exec contained exactly `variable` ("NAME=value"), without this process. */
export async function findByEnvironment(variable: string): Promise<readonly ProcessId[]> {
  const found: ProcessId[] = [];
  for (const { pid, environment } of await environments()) {
    const identity = environment.includes(variable) ? await identify(pid) : undefined;
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

/** The processes in the same PID namespace as this process. */
export async function livingHere(processes: readonly ProcessId[]): Promise<readonly ProcessId[]> {
  const here = await pidNamespace(process.pid);
  const namespaces = await Promise.all(processes.map(({ pid }) => pidNamespace(pid)));
  return processes.filter((_, i) => namespaces[i] === here);
}

/** Values of the variable in the environments of this machine's processes. */
export async function valuesInEnvironments(name: string): Promise<ReadonlySet<string>> {
  const prefix = `${name}=`;
  const values = (await environments()).flatMap(({ environment }) => environment.filter((v) => v.startsWith(prefix)));
  return new Set(values.map((value) => value.slice(prefix.length)));
}

async function environments(): Promise<readonly { pid: number; environment: readonly string[] }[]> {
  const others = (await pids()).filter((pid) => pid !== process.pid);
  return Promise.all(
    others.map(async (pid) => ({ pid, environment: ((await readProc(pid, 'environ')) ?? '').split('\0') })),
  );
}

async function readStat(pid: number): Promise<{ parent: number; started: string } | undefined> {
  const stat = await readProc(pid, 'stat');
  // The command's name, in parentheses, may contain spaces and parentheses, so fields are counted from its end.
  const [state, parent, ...rest] = (stat?.slice(stat.lastIndexOf(')') + 2) ?? '').split(' ');
  const started = rest[17];
  if (parent === undefined || started === undefined || state === 'Z' || state === 'X') return undefined;
  return { parent: Number(parent), started };
}

async function pids(): Promise<readonly number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function pidNamespace(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
}

/** undefined: the process has ended meanwhile. */
async function readProc(pid: number, file: string): Promise<string | undefined> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => undefined);
}
