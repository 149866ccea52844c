import type { GetStatusResponse, Manager, StoreMember } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Answer, Cell, Heading } from '../answer.ts';
import { ageCell, createdCell, formatSpan, isoTime, timeValue } from './time.ts';

const columns: readonly Heading[] = [
  { title: 'NAME' },
  { title: 'ADDRESS' },
  { title: 'STATE' },
  { title: 'ETCD MEMBER' },
  { title: 'VERSION' },
  { title: 'GONE FOR' },
];

export function managersAnswer(managers: readonly Manager[], now: number): Answer {
  return {
    value: managers.map(({ name, address, state, leader, version, etcdMember, goneSinceMs }) => ({
      name,
      address,
      state,
      leader,
      version,
      etcdMember: etcdMember === '' ? null : etcdMember,
      goneSince: timeValue(goneSinceMs),
    })),
    names: managers.map(({ name }) => name),
    table: { kind: 'grid', columns, rows: managers.map((manager) => row(manager, now)) },
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
      goneSince: timeValue(manager.goneSinceMs),
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
        ...(manager.goneSinceMs === 0n ? [] : [['gone', createdCell(manager.goneSinceMs, now)] as const]),
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

function row({ name, address, state, version, etcdMember, goneSinceMs }: Manager, now: number): Cell[] {
  const texts = [etcdMember, version, ageCell(goneSinceMs, now)].map((text) => (text === '' ? '-' : text));
  return [name, address, tinted(state), ...texts];
}

function tinted(state: string): Cell {
  if (state === 'leader') return { text: state, tone: 'good' };
  return state === 'standby' ? state : { text: state, tone: 'bad' };
}
