import { CausewayError } from '@causeway/model';
import type {
  GetStatusResponse,
  Manager,
  StoreMember,
  TroubledHost,
  UnreadyHost,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Answer, Cell } from '../answer.ts';
import { storeProblem } from '../majority.ts';
import { healthValue } from './node.ts';
import { formatSpan, isoTime, timeValue } from './time.ts';

/**
 * Limit of the event loop's delay, ms, as the managers judge it. With less delay, the host is named for another reason.
 */
const stoodStill = 1_000;

/** `now`: the wall clock in Unix milliseconds, from which "for 3m12s" is computed. */
export function statusAnswer(status: GetStatusResponse, now: number): Answer {
  const problem = problemOf(status);
  return {
    value: statusValue(status),
    names: [status.clusterId],
    table: {
      kind: 'sheet',
      fields: [
        ['cluster', `${status.clusterId}, epoch ${status.epoch}, revision ${status.revision}`],
        ['leader', leader(status, now)],
        ...lines('managers', managers(status, now)),
        ...lines('etcd', etcd(status)),
        ...lines('hosts', hosts(status, now)),
        ...lines('trouble', status.troubledHosts.map(trouble)),
        ['networks', counted(status.networks, status.degradedNetworks)],
        ['endpoints', counted(status.endpoints, status.degradedEndpoints)],
        ['repairs', hears(status) ? String(status.repairs) : unknown],
        ['drift', drift(status)],
      ],
    },
    ...(problem !== undefined && { problem }),
  };
}

/** Interface: scripts read these fields. New fields may be added. */
function statusValue(status: GetStatusResponse): object {
  const { store } = status;
  return {
    cluster: { id: status.clusterId, epoch: status.epoch, revision: status.revision, schema: status.schema },
    leader:
      status.leader === undefined
        ? null
        : {
            node: status.leader.manager,
            address: status.leader.address,
            term: status.leader.term,
            since: isoTime(status.leader.sinceMs),
          },
    managers: status.managers.map((manager) => managerValue(manager, status)),
    etcd: { members: (store?.members ?? []).map((member) => ({ ...member })), revision: store?.revision ?? null },
    hosts: {
      ready: status.hostsReady,
      total: status.hostsTotal,
      notReady: status.unreadyHosts.map(unreadyValue),
      troubled: status.troubledHosts.map(({ name, health }) => ({ name, health: healthValue(health) })),
    },
    repairs: hears(status) ? status.repairs : null,
    drift: hears(status) ? status.drift : null,
    networks: status.networks,
    endpoints: status.endpoints,
    degraded: {
      networks: hears(status) ? status.degradedNetworks : null,
      endpoints: hears(status) ? status.degradedEndpoints : null,
    },
  };
}

function managerValue(manager: Manager, status: GetStatusResponse): object {
  const { name, address, state, leader, version } = manager;
  const answers = state !== 'unreachable';
  return {
    ...{ name, address, state, leader, version, schema: manager.schema },
    revision: answers ? manager.revision : null,
    lag: answers ? lagOf(manager, status) : null,
    goneSince: timeValue(manager.goneSinceMs),
  };
}

/** Why the cluster cannot be changed. The data are printed all the same, and the command fails with this error. */
function problemOf({ leader, ...report }: GetStatusResponse): CausewayError | undefined {
  const problem = storeProblem(report);
  if (problem !== undefined) return problem;
  return leader === undefined
    ? new CausewayError('not-leader', 'no manager leads: no change is possible until a manager is elected')
    : undefined;
}

function leader({ leader }: GetStatusResponse, now: number): Cell {
  if (leader === undefined) return { text: 'none: writes wait for an election', tone: 'bad' };
  const span = formatSpan(now - Number(leader.sinceMs));
  return `${leader.manager} ${leader.address}, term ${leader.term}, for ${span}`;
}

function managers(status: GetStatusResponse, now: number): readonly Cell[] {
  return status.managers.map((manager) => {
    const { name, address, state } = manager;
    const lag = lagOf(manager, status);
    if (state === 'unreachable')
      return { text: [`${name} ${address} ${state}`, ...gone(manager, now)].join(', '), tone: 'bad' };
    if (state === 'outdated') {
      const why = `read-only: it knows schema ${manager.schema}, and the records have schema ${status.schema}`;
      return { text: `${name} ${address} ${state}, ${why}`, tone: 'bad' };
    }
    return `${name} ${address} ${state}${lag > 0n ? `, ${lag} behind` : ''}`;
  });
}

/** A manager that is gone is listed until it is back or removed. */
function gone({ goneSinceMs }: Manager, now: number): readonly string[] {
  return goneSinceMs === 0n ? [] : [`gone for ${formatSpan(now - Number(goneSinceMs))} (${isoTime(goneSinceMs)})`];
}

/** The view of a manager may be ahead of what the etcd members reported a moment before. Its lag is then 0. */
function lagOf({ revision }: Manager, { store }: GetStatusResponse): bigint {
  const newest = store?.revision ?? 0n;
  return newest > revision ? newest - revision : 0n;
}

function etcd({ store }: GetStatusResponse): readonly Cell[] {
  if (store === undefined) return [{ text: 'does not answer', tone: 'bad' }];
  const healthy = store.members.filter((member) => member.healthy).length;
  const all = `${healthy}/${store.members.length} healthy, revision ${store.revision}`;
  return [{ text: all, tone: healthy === store.members.length ? 'good' : 'bad' }, ...store.members.map(member)];
}

function member(member: StoreMember): Cell {
  const { name, clientUrls, healthy, leader, learner, revision, lag, alarms } = member;
  const silent = revision === 0n;
  const role = leader ? 'leads' : learner ? 'learner' : 'follows';
  const state = healthy ? role : silent ? 'down' : 'without leader';
  const behind = lag > 0n ? [`${lag} behind`] : [];
  const text = [`${name === '' ? 'not started' : name} ${clientUrls.join(' ')} ${state}`, ...behind, ...alarms].join(
    ', ',
  );
  return healthy && alarms.length === 0 ? text : { text, tone: 'bad' };
}

function hosts(status: GetStatusResponse, now: number): readonly Cell[] {
  const { hostsReady, hostsTotal, unreadyHosts } = status;
  const all: Cell = hears(status)
    ? { text: `${hostsReady}/${hostsTotal} ready`, tone: hostsReady === hostsTotal ? 'good' : 'bad' }
    : { text: `${hostsTotal}, ready: ${unknown.text}`, tone: 'bad' };
  return [all, ...unreadyHosts.map((host): Cell => ({ text: unreadyText(host, now), tone: 'bad' }))];
}

/** "h3 has had no session for 3m12s: nothing heard for 6000 ms" */
function unreadyText({ name, session, sinceMs, reason }: UnreadyHost, now: number): string {
  if (session === 'syncing') return `${name} is catching up`;
  const why = reason === '' ? 'it has not contacted the leader since the election' : reason;
  return `${name} has had no session for ${formatSpan(Math.max(0, now - Number(sinceMs)))}: ${why}`;
}

/** "h2: stood still for 2300 ms; since its agent started, kernel events lost 3 times, kernel refused EBUSY 2" */
function trouble({ name, health }: TroubledHost): Cell {
  const { loopDelayMs = 0, eventsLost = 0n, failedOps = {} } = health ?? {};
  const refused = Object.entries(failedOps).sort();
  const counts = [
    ...(eventsLost > 0n ? [`kernel events lost ${eventsLost} ${eventsLost === 1n ? 'time' : 'times'}`] : []),
    ...(refused.length > 0 ? [`kernel refused ${refused.map(([errno, n]) => `${errno} ${n}`).join(', ')}`] : []),
  ];
  const parts = [
    ...(loopDelayMs >= stoodStill ? [`event loop blocked for ${loopDelayMs} ms`] : []),
    ...(counts.length > 0 ? [`since its agent started, ${counts.join(', ')}`] : []),
  ];
  return { text: `${name}: ${parts.join('; ')}`, tone: 'bad' };
}

function unreadyValue({ name, session, sinceMs, reason }: UnreadyHost): object {
  return { name, session, since: isoTime(sinceMs), reason };
}

function counted(all: number, degraded: number): Cell {
  return degraded === 0 ? String(all) : { text: `${all}, ${degraded} degraded`, tone: 'bad' };
}

function drift(status: GetStatusResponse): Cell {
  if (!hears(status)) return unknown;
  return { text: String(status.drift), tone: status.drift === 0 ? 'good' : 'bad' };
}

/** Hosts report only to the leader. */
function hears({ managers }: GetStatusResponse): boolean {
  return managers.some(({ state }) => state === 'leader');
}

const unknown = { text: 'unknown: no leader answers', tone: 'bad' } as const;

/** A field of several lines; the label stands before the first line. */
function lines(label: string, cells: readonly Cell[]): readonly (readonly [string, Cell])[] {
  return cells.map((cell, i) => [i === 0 ? label : '', cell]);
}
