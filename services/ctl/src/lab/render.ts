import type { HostStatus, LabStatus, ProcessStatus } from '@causeway/lab';
import { milliseconds } from '@causeway/runtime';
import type { Answer, Cell } from '../answer.ts';
import { printSlowness } from './fault-commands.ts';

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

/** A lab that is not complete has only a name. */
export function labsAnswer(labs: readonly { readonly name: string; readonly lab: LabStatus | undefined }[]): Answer {
  const counted = labs.map(({ name, lab }) => {
    if (lab === undefined) return { name, hosts: null, ready: null, running: null };
    const processes = lab.hosts.flatMap((host) => host.processes);
    const running = processes.filter((process) => process.running).length;
    return { name, hosts: lab.hosts.length, ready: lab.hosts.filter((host) => host.ready).length, running };
  });
  return {
    value: counted,
    names: labs.map(({ name }) => name),
    table: {
      kind: 'grid',
      columns: [{ title: 'NAME' }, { title: 'HOSTS' }, { title: 'READY' }, { title: 'PROCESSES' }],
      rows: counted.map(({ name, hosts, ready, running }) => [
        name,
        String(hosts ?? ''),
        ready === null ? '' : { text: `${ready}/${hosts}`, tone: ready === hosts ? 'good' : 'bad' },
        String(running ?? ''),
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
    ...(unheardBy.length === 0 ? [] : [`one-way cut to ${unheardBy.join(', ')}`]),
    ...slowness,
  ].join('; ');
}

function printProcess(process: ProcessStatus): string {
  return process.running ? `${process.kind} ${process.pid}` : `${process.kind} down`;
}
