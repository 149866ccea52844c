import { open } from 'node:fs/promises';
import { CausewayError } from '@causeway/model';
import { commandOf, dataOf, embeddedEtcdFlag } from '../commands.ts';
import type { LabHost, ProcessKind } from '../plan.ts';
import { hostEnvironment } from './environment.ts';
import { enroll, isMember } from './membership.ts';
import { checkAlive, enterArguments } from './namespace.ts';
import { findByArgument, findInNamespace, isRunning, type ProcessId, signalProcess, waitGone } from './proc.ts';
import { run } from './process.ts';
import { initOf, type LabRecord, loadProcess, paths, saveProcess } from './state.ts';

/** Time for a process to end after a signal, ms. After SIGTERM, a manager hands over first. */
const exitWithin = 10_000;

/**
 * Starts the command in the background, with its log on descriptor 3, and prints its pid in the host's PID namespace. The
 * process is the leader of its own session; the host's first process adopts it.
 */
const starter = 'setsid "$@" </dev/null >&3 2>&3 3>&- & echo $!';

/**
 * Starts the process, which must not be running, with more words than a lab gives it. When this resolves, the process runs, but
 * may not be ready yet. A process that has lost its data first joins the cluster again.
 */
export async function startService(
  lab: LabRecord,
  host: LabHost,
  kind: ProcessKind,
  more: readonly string[] = [],
): Promise<ProcessId> {
  checkKind(lab, host, kind);
  await checkAlive(initOf(lab, host), host.name);
  const before = await loadProcess(lab.plan, host, kind);
  if (before !== undefined && (await isRunning(before))) {
    throw new CausewayError('lab-process-state', `${host.name}'s ${kind} is running already (pid ${before.pid})`);
  }
  if (kind !== 'etcd' && !isMember(lab, { host, kind })) await enroll(lab, [{ host, kind }]);
  const started = await spawnInHost(lab, host, kind, [...commandOf(lab.plan, host, kind), ...more]);
  if (started === undefined) throw serviceFailure(lab, host, kind, 'ended at once');
  await saveProcess(lab.plan, host, kind, started);
  return started;
}

async function spawnInHost(
  lab: LabRecord,
  host: LabHost,
  kind: ProcessKind,
  words: readonly string[],
): Promise<ProcessId | undefined> {
  const init = initOf(lab, host);
  const log = await open(paths.log(lab.plan.name, host.name, kind), 'a');
  try {
    const command = ['sh', '-c', starter, 'start', ...words];
    const options = { env: hostEnvironment(lab), file: log.fd };
    return await findInNamespace(init, Number(await run('nsenter', [...enterArguments(init), ...command], options)));
  } finally {
    await log.close();
  }
}

/** Sends the signal. If the signal ends processes, waits for their end. A killed process is not restarted. */
export async function killService(
  lab: LabRecord,
  host: LabHost,
  kind: ProcessKind,
  signal: NodeJS.Signals,
): Promise<void> {
  checkKind(lab, host, kind);
  const target = await loadProcess(lab.plan, host, kind);
  const embedded = await embeddedEtcd(lab, host, kind, signal);
  if (target === undefined || !(await signalProcess(target, signal))) {
    throw new CausewayError('lab-process-state', `${host.name}'s ${kind} is not running`);
  }
  for (const etcd of embedded) await signalProcess(etcd, signal);
  if (!endingSignals.has(signal) || (await waitGone([target, ...embedded], exitWithin))) return;
  throw new CausewayError('timed-out', `${host.name}'s ${kind} still runs ${exitWithin / 1000} s after ${signal}`);
}

/**
 * The etcd of a manager, when it gets the same signal without the manager's knowledge. A manager that is asked to end
 * ends its etcd itself.
 */
async function embeddedEtcd(
  lab: LabRecord,
  host: LabHost,
  kind: ProcessKind,
  signal: NodeJS.Signals,
): Promise<readonly ProcessId[]> {
  if (kind !== 'manager' || lab.plan.etcd !== 'embedded' || !hostSignals.has(signal)) return [];
  return await findByArgument(initOf(lab, host), embeddedEtcdFlag);
}

/** The running processes of this kind in a host, an embedded etcd included. */
export async function processesOf(lab: LabRecord, host: LabHost, kind: ProcessKind): Promise<readonly ProcessId[]> {
  if (kind === 'etcd' && lab.plan.etcd === 'embedded') return findByArgument(initOf(lab, host), embeddedEtcdFlag);
  const process = await loadProcess(lab.plan, host, kind);
  return process !== undefined && (await isRunning(process)) ? [process] : [];
}

/** Removes the data of a process, and kills the process before. A process that does not run is no failure. */
export async function wipeService(lab: LabRecord, host: LabHost, kind: ProcessKind): Promise<void> {
  checkKind(lab, host, kind);
  const running = await loadProcess(lab.plan, host, kind);
  if (running !== undefined && (await isRunning(running))) await killService(lab, host, kind, 'SIGKILL');
  await run('nsenter', [...enterArguments(initOf(lab, host)), 'rm', '-rf', dataOf(kind)]);
}

/** Signals that stand for what happens to a whole host: its loss, a standstill, and the end of the standstill. */
const hostSignals: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGSTOP', 'SIGCONT']);
const endingSignals: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT']);

/** The error for a process that has ended or does not become ready. It names the log, which says why. */
export function serviceFailure(lab: LabRecord, host: LabHost, kind: ProcessKind, what: string): CausewayError {
  const log = paths.log(lab.plan.name, host.name, kind);
  return new CausewayError('internal', `${host.name}'s ${kind} ${what}: see ${log}`, { host: host.name, log });
}

function checkKind(lab: LabRecord, host: LabHost, kind: ProcessKind): void {
  if (host.kinds.includes(kind)) return;
  const where = lab.plan.hosts.filter((at) => at.kinds.includes(kind)).map((at) => at.name);
  const why = where.length === 0 ? 'none is started by this lab' : `it runs on ${where.join(', ')}`;
  throw new CausewayError('lab-process-state', `${host.name} has no ${kind}: ${why}`);
}
