import type { LabHost } from '../plan.ts';
import type { HostStatus, LabStatus, ProcessStatus } from '../status.ts';
import { AgentProbe } from './agent-probe.ts';
import { isRunning } from './proc.ts';
import { checkRoot } from './requirements.ts';
import { type Lab, loadLab, loadProcess, paths } from './state.ts';

/** Throws `lab-unknown`. */
export async function labStatus(name: string): Promise<LabStatus> {
  checkRoot();
  const lab = await loadLab(name);
  return { name, hosts: await Promise.all(lab.plan.hosts.map((host) => hostStatus(lab, host))) };
}

async function hostStatus(lab: Lab, host: LabHost): Promise<HostStatus> {
  const probe = new AgentProbe(lab.plan, host);
  try {
    const processes = await Promise.all(host.kinds.map((kind) => processStatus(lab, host, kind)));
    const agentRuns = processes.some((process) => process.kind === 'agent' && process.running);
    return { name: host.name, underlay: host.underlay, ready: agentRuns && (await probe.isReady()), processes };
  } finally {
    probe.close();
  }
}

async function processStatus(lab: Lab, host: LabHost, kind: ProcessStatus['kind']): Promise<ProcessStatus> {
  const process = await loadProcess(lab.plan, host, kind);
  const running = process !== undefined && (await isRunning(process));
  return { kind, pid: running ? process.pid : null, running, log: paths.log(lab.plan.name, host.name, kind) };
}
