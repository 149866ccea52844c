import type { Faults } from '../faults.ts';
import type { LabHost } from '../plan.ts';
import type { HostStatus, LabStatus, ProcessStatus } from '../status.ts';
import { AgentProbe } from './agent-probe.ts';
import { faultsOf } from './faults.ts';
import { isRunning } from './proc.ts';
import { type LabRecord, loadProcess, paths } from './state.ts';

export async function labStatus(lab: LabRecord): Promise<LabStatus> {
  const faults = await faultsIfAny(lab);
  return { name: lab.plan.name, hosts: await Promise.all(lab.plan.hosts.map((host) => hostStatus(lab, host, faults))) };
}

/** Without nft there are no cuts and no slow hosts; without its switch, a lab cannot have any. */
function faultsIfAny(lab: LabRecord): Promise<Faults> {
  return faultsOf(lab).catch(() => ({ cuts: [], slow: [] }));
}

async function hostStatus(lab: LabRecord, host: LabHost, faults: Faults): Promise<HostStatus> {
  const probe = new AgentProbe(lab.plan, host);
  try {
    const processes = await Promise.all(host.kinds.map((kind) => processStatus(lab, host, kind)));
    const agentRuns = processes.some((process) => process.kind === 'agent' && process.running);
    const ready = agentRuns && (await probe.isReady());
    return { name: host.name, underlay: host.underlay, ready, ...hostFaults(host, faults), processes };
  } finally {
    probe.close();
  }
}

function hostFaults({ name }: LabHost, { cuts, slow }: Faults): Pick<HostStatus, 'cut' | 'unheardBy' | 'slow'> {
  const lost = cuts.filter(([from]) => from === name).map(([, to]) => to);
  const isBothWays = (other: string): boolean => cuts.some(([from, to]) => from === other && to === name);
  const [cut, unheardBy] = [lost.filter(isBothWays), lost.filter((other) => !isBothWays(other))];
  const slowness = slow.find(({ host }) => host === name);
  return {
    ...(cut.length === 0 ? {} : { cut }),
    ...(unheardBy.length === 0 ? {} : { unheardBy }),
    ...(slowness === undefined
      ? {}
      : { slow: { delayMs: slowness.delay, loss: slowness.loss, dropAbove: slowness.dropAbove } }),
  };
}

async function processStatus(lab: LabRecord, host: LabHost, kind: ProcessStatus['kind']): Promise<ProcessStatus> {
  const process = await loadProcess(lab.plan, host, kind);
  const running = process !== undefined && (await isRunning(process));
  return { kind, pid: running ? process.pid : null, running, log: paths.log(lab.plan.name, host.name, kind) };
}
