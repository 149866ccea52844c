import { milliseconds } from '@causeway/runtime';
import type { Answer, Cell } from '../answer.ts';
import { printSlowness } from './fault-commands.ts';
import type { HostStatus, LabStatus, ProcessStatus } from './status.ts';

export function statusAnswer(lab: LabStatus): Answer {
  const anyFault = lab.hosts.some((host) => printFaults(host) !== '');
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
        ...(anyFault ? [{ title: 'FAULTS' }] : []),
        { title: 'LOGS', wide: true },
      ],
      rows: lab.hosts.map((host) => [
        host.name,
        host.underlay,
        readiness(host),
        host.processes.map(printProcess).join(', '),
        ...(anyFault ? [printFaults(host)] : []),
        host.processes.map((process) => process.log).join(' '),
      ]),
    },
  };
}

function readiness(host: HostStatus): Cell {
  return host.ready ? { text: 'yes', tone: 'good' } : { text: 'no', tone: 'bad' };
}

function printFaults({ cut = [], unheardBy = [], slow }: HostStatus): string {
  const slowness = slow === undefined ? [] : [printSlowness({ ...slow, delay: milliseconds(slow.delayMs) })];
  return [
    ...(cut.length === 0 ? [] : [`cut from ${cut.join(', ')}`]),
    ...(unheardBy.length === 0 ? [] : [`unheard by ${unheardBy.join(', ')}`]),
    ...slowness,
  ].join('; ');
}

function printProcess(process: ProcessStatus): string {
  return process.running ? `${process.kind} ${process.pid}` : `${process.kind} down`;
}
