import type { Manager } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Answer, Cell, Heading } from '../answer.ts';

const columns: readonly Heading[] = [
  { title: 'NAME' },
  { title: 'ADDRESS' },
  { title: 'LEADS' },
  { title: 'ETCD MEMBER' },
  { title: 'VERSION' },
];

export function managersAnswer(managers: readonly Manager[]): Answer {
  return {
    value: managers.map(({ name, address, leader, version, etcdMember }) => ({
      name,
      address,
      leader,
      version,
      etcdMember: etcdMember === '' ? null : etcdMember,
    })),
    names: managers.map(({ name }) => name),
    table: { kind: 'grid', columns, rows: managers.map(row) },
  };
}

function row({ name, address, leader, version, etcdMember }: Manager): Cell[] {
  const leads: Cell = leader ? { text: 'yes', tone: 'good' } : 'no';
  return [name, address, leads, etcdMember === '' ? '-' : etcdMember, version === '' ? '-' : version];
}
