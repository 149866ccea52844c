import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../labs.ts';
import { type LabHost, managersOf } from '../plan.ts';
import { AgentProbe } from './agent-probe.ts';
import { issueEtcdIdentities } from './etcd-identities.ts';
import { enroll, foundCluster } from './membership.ts';
import { isRunning } from './proc.ts';
import { serviceFailure, startService } from './service.ts';
import { type LabRecord, loadProcess } from './state.ts';

/** The start of Node uses only CPU: more starts at once only make each slower, and delay the first. */
const startsAtOnce = Math.max(3, cpus().length * 2);
/** Time from the start of an agent to its session, ms. It is long, because a busy machine must not count as a failure. */
const readyWithin = 60_000;
const pollEvery = 50;

/** Starts all processes in the hosts; resolves when every agent has a session. */
export async function startCluster(lab: LabRecord, progress: Progress, signal: AbortSignal): Promise<void> {
  const managers = managersOf(lab.plan);
  progress(`starting etcd and managers on ${managers.map((host) => host.name).join(', ')}`);
  const withEtcd = managers.filter(({ kinds }) => kinds.includes('etcd'));
  if (withEtcd.length > 0) await issueEtcdIdentities(lab);
  await Promise.all([foundCluster(lab), ...withEtcd.map((host) => startService(lab, host, 'etcd'))]);
  const [first, ...others] = managers;
  if (first !== undefined) await startService(lab, first, 'manager');
  const agents = lab.plan.hosts.map((host) => ({ host, kind: 'agent' }) as const);
  await enroll(lab, [...others.map((host) => ({ host, kind: 'manager' }) as const), ...agents]);
  await Promise.all(others.map((host) => startService(lab, host, 'manager')));
  const waiting = [...lab.plan.hosts];
  let ready = 0;
  const startInTurn = async (): Promise<void> => {
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      await startAgent(lab, host, signal);
      ready += 1;
      progress(`${ready}/${lab.plan.hosts.length} hosts ready`);
    }
  };
  await Promise.all(Array.from({ length: startsAtOnce }, startInTurn));
}

async function startAgent(lab: LabRecord, host: LabHost, signal: AbortSignal): Promise<void> {
  await startService(lab, host, 'agent');
  const deadline = performance.now() + readyWithin;
  const probe = new AgentProbe(lab.plan, host);
  try {
    while (!(await probe.isReady())) {
      signal.throwIfAborted();
      await checkRunning(lab, host);
      if (performance.now() > deadline) {
        throw serviceFailure(lab, host, 'agent', `has no session after ${readyWithin / 1000} s`);
      }
      await sleep(pollEvery);
    }
  } finally {
    probe.close();
  }
}

/** Fails early when the agent, or a process that it depends on, has ended. */
async function checkRunning(lab: LabRecord, host: LabHost): Promise<void> {
  for (const at of new Set([...managersOf(lab.plan), host])) {
    for (const kind of at.kinds) {
      const process = await loadProcess(lab.plan, at, kind);
      // A process without a record has yet to be started by another task.
      if (process !== undefined && !(await isRunning(process))) {
        throw serviceFailure(lab, at, kind, 'ended');
      }
    }
  }
}
