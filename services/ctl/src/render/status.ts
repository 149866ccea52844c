import type { GetStatusResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Answer, Cell } from '../answer.ts';
import { formatSpan, isoTime } from './time.ts';

/** `now` is the wall clock, in Unix milliseconds: it makes "for 3m12s" of the leader's "since". */
export function statusAnswer(status: GetStatusResponse, now: number): Answer {
  return {
    value: statusValue(status),
    names: [status.clusterId],
    table: {
      kind: 'sheet',
      fields: [
        ['cluster', `${status.clusterId}, epoch ${status.epoch}, revision ${status.revision}`],
        ['leader', leader(status, now)],
        ['managers', status.managers.map(({ name, address }) => `${name} ${address}`).join(', ')],
        ['etcd', etcd(status)],
        ['hosts', hosts(status)],
        ['networks', String(status.networks)],
        ['endpoints', String(status.endpoints)],
        ['repairs', String(status.repairs)],
        ['drift', { text: String(status.drift), tone: status.drift === 0 ? 'good' : 'bad' }],
      ],
    },
  };
}

function statusValue(status: GetStatusResponse): object {
  return {
    cluster: { id: status.clusterId, epoch: status.epoch, revision: status.revision },
    leader:
      status.leader === undefined
        ? null
        : {
            node: status.leader.manager,
            address: status.leader.address,
            term: status.leader.term,
            since: isoTime(status.leader.sinceMs),
          },
    managers: status.managers.map(({ name, address, leader, version }) => ({ name, address, leader, version })),
    etcd: {
      members: (status.store?.members ?? []).map((member) => ({ ...member })),
      revision: status.store?.revision ?? null,
    },
    hosts: { ready: status.hostsReady, total: status.hostsTotal },
    repairs: status.repairs,
    drift: status.drift,
    networks: status.networks,
    endpoints: status.endpoints,
  };
}

function leader({ leader }: GetStatusResponse, now: number): Cell {
  if (leader === undefined) return { text: 'none: writes wait for an election', tone: 'bad' };
  const span = formatSpan(now - Number(leader.sinceMs));
  return `${leader.manager} ${leader.address}, term ${leader.term}, for ${span}`;
}

function etcd({ store }: GetStatusResponse): Cell {
  if (store === undefined) return { text: 'does not answer', tone: 'bad' };
  const healthy = store.members.filter((member) => member.healthy).length;
  const alarms = store.members.flatMap(({ name, alarms }) => alarms.map((alarm) => `${name} ${alarm}`));
  const text = [`${healthy}/${store.members.length} healthy, revision ${store.revision}`, ...alarms].join(', ');
  return { text, tone: healthy === store.members.length && alarms.length === 0 ? 'good' : 'bad' };
}

function hosts({ hostsReady, hostsTotal }: GetStatusResponse): Cell {
  return { text: `${hostsReady}/${hostsTotal} ready`, tone: hostsReady === hostsTotal ? 'good' : 'bad' };
}
