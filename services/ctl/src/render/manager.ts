import type { Manager } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Answer, Cell, Heading } from '../answer.ts';

const columns: readonly Heading[] = [
  { title: 'NAME' },
  { title: 'ADDRESS' },
  { title: 'STATE' },
  { title: 'ETCD MEMBER' },
  { title: 'VERSION' },
];

export function managersAnswer(managers: readonly Manager[]): Answer {
  return {
    value: managers.map(({ name, address, state, leader, version, etcdMember }) => ({
      name,
      address,
      state,
      leader,
      version,
      etcdMember: etcdMember === '' ? null : etcdMember,
    })),
    names: managers.map(({ name }) => name),
    table: { kind: 'grid', columns, rows: managers.map(row) },
  };
}

function row({ name, address, state, version, etcdMember }: Manager): Cell[] {
  return [name, address, tinted(state), etcdMember === '' ? '-' : etcdMember, version === '' ? '-' : version];
}

function tinted(state: string): Cell {
  if (state === 'leader') return { text: state, tone: 'good' };
  return state === 'standby' ? state : { text: state, tone: 'bad' };
}
