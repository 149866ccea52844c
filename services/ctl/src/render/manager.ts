import type { GetStatusResponse, Manager, StoreMember } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Answer, Cell, Heading } from '../answer.ts';
import { formatSpan, isoTime } from './time.ts';

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

export function managerAnswer(manager: Manager, status: GetStatusResponse, now: number): Answer {
  const { name, address, state, version, etcdMember, revision, schema } = manager;
  const { leader } = status;
  const member = status.store?.members.find((each) => each.name === etcdMember && etcdMember !== '');
  const leads = leader !== undefined && leader.manager === name ? leader : undefined;
  const answers = state !== 'unreachable';
  return {
    value: {
      ...{ name, address, state, leader: manager.leader, version, schema },
      revision: answers ? revision : null,
      leadsSince: leads === undefined ? null : isoTime(leads.sinceMs),
      term: leads === undefined ? null : leads.term,
      etcdMember: member === undefined ? null : { ...member },
    },
    names: [name],
    table: {
      kind: 'sheet',
      fields: [
        ['name', name],
        ['address', address],
        ['state', tinted(state)],
        ['leads', leads === undefined ? 'no' : `term ${leads.term}, for ${formatSpan(now - Number(leads.sinceMs))}`],
        ['version', version],
        ['schema', String(schema)],
        ['revision', answers ? String(revision) : ''],
        ['etcd member', member === undefined ? etcdMember : memberText(member)],
      ],
    },
  };
}

function memberText({ name, clientUrls, healthy, leader, learner, lag, alarms }: StoreMember): Cell {
  const role = leader ? 'leads' : learner ? 'learner' : 'follows';
  const parts = [`${name} ${clientUrls.join(' ')} ${healthy ? role : 'unhealthy'}`];
  if (lag > 0n) parts.push(`${lag} behind`);
  const text = [...parts, ...alarms].join(', ');
  return healthy && alarms.length === 0 ? text : { text, tone: 'bad' };
}

function row({ name, address, state, version, etcdMember }: Manager): Cell[] {
  return [name, address, tinted(state), etcdMember === '' ? '-' : etcdMember, version === '' ? '-' : version];
}

function tinted(state: string): Cell {
  if (state === 'leader') return { text: state, tone: 'good' };
  return state === 'standby' ? state : { text: state, tone: 'bad' };
}
