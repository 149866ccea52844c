import type { Answer, Cell } from '../answer.ts';
import type { HostStatus, LabStatus, ProcessStatus } from './status.ts';

export function statusAnswer(lab: LabStatus): Answer {
  return {
    value: lab,
    names: lab.hosts.map((host) => host.name),
    table: {
      kind: 'grid',
      columns: [
        { title: 'HOST' },
        { title: 'UNDERLAY' },
        { title: 'READY' },
        { title: 'PROCESSES' },
        { title: 'LOGS', wide: true },
      ],
      rows: lab.hosts.map((host) => [
        host.name,
        host.underlay,
        readiness(host),
        host.processes.map(printProcess).join(', '),
        host.processes.map((process) => process.log).join(' '),
      ]),
    },
  };
}

function readiness(host: HostStatus): Cell {
  return host.ready ? { text: 'yes', tone: 'good' } : { text: 'no', tone: 'bad' };
}

function printProcess(process: ProcessStatus): string {
  return process.running ? `${process.kind} ${process.pid}` : `${process.kind} down`;
}
