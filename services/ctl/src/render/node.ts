import type { HostHealth, Node } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Answer, Cell, Heading } from '../answer.ts';
import { conditionFields, conditionsCell, conditionValues } from './condition.ts';
import { pairsText } from './pairs.ts';
import { ageCell, createdCell, timeValue } from './time.ts';
import type { Shown } from './watch.ts';

const columns: readonly Heading[] = [
  { title: 'NAME' },
  { title: 'READY' },
  { title: 'DATA PATH' },
  { title: 'NETWORKS' },
  { title: 'ENDPOINTS' },
  { title: 'REPAIRS' },
  { title: 'AGE' },
  { title: 'UNDERLAY MTU', wide: true },
  { title: 'VERSION', wide: true },
  { title: 'LABELS', wide: true },
  { title: 'CONDITIONS', wide: true },
  { title: 'ID', wide: true },
  { title: 'REVISION', wide: true },
];

/** For watches. Leaves out readiness and counts, because they change without a change of the store. */
export const shownNode: Shown<Node> = {
  columns: [
    { title: 'NAME', width: 16 },
    { title: 'DATA PATH', width: 16 },
    { title: 'UNDERLAY MTU', width: 12 },
    { title: 'VERSION', width: 8 },
    { title: 'LABELS' },
  ],
  name: ({ name }) => name,
  value: ({ id, name, drained, dataPath, underlayMtu, version, hostRoutes, labels, createdAtMs, revision }) => {
    const createdAt = timeValue(createdAtMs);
    return { id, name, drained, dataPath, underlayMtu, version, hostRoutes, labels, createdAt, revision };
  },
  row: ({ name, dataPath, underlayMtu, version, labels }) => [
    name,
    dataPath,
    String(underlayMtu),
    version,
    pairsText(labels),
  ],
};

export function nodeAnswer(node: Node, now: number): Answer {
  return {
    value: nodeValue(node),
    names: [node.name],
    table: {
      kind: 'sheet',
      fields: [
        ['name', node.name],
        ['id', node.id],
        ['data path', node.dataPath],
        ['underlay MTU', String(node.underlayMtu)],
        ...(node.encapPort === 0 ? [] : [['ESP in UDP', `port ${node.encapPort}`] satisfies [string, string]]),
        ['version', node.version],
        ['labels', pairsText(node.labels)],
        ['networks', String(node.networks)],
        ['endpoints', String(node.endpoints)],
        ['repairs', repairs(node)],
        ...encryptionField(node.health),
        ...healthFields(node.health),
        ['created', createdCell(node.createdAtMs, now)],
        ['revision', String(node.revision)],
        ...conditionFields(node.conditions, now),
      ],
    },
  };
}

export function nodesAnswer(nodes: readonly Node[], now: number): Answer {
  return {
    value: nodes.map(nodeValue),
    names: nodes.map((node) => node.name),
    table: { kind: 'grid', columns, rows: nodes.map((node) => row(node, now)) },
  };
}

function healthFields(health: HostHealth | undefined): [string, string][] {
  if (health === undefined) return [];
  const failed = Object.entries(health.failedOps).sort();
  return [
    ['event loop delay', `${health.loopDelayMs} ms`],
    ['events lost', String(health.eventsLost)],
    ['announcements', `${health.announcementsSent} sent, ${health.announcementsDropped} dropped`],
    ['refused keys', String(health.refusedKeys)],
    ['kernel refused', failed.length === 0 ? 'nothing' : failed.map(([errno, n]) => `${errno} ${n}`).join(', ')],
  ];
}

function encryptionField(health: HostHealth | undefined): [string, Cell][] {
  const { cannotEncrypt = '', keysOnDisk = '' } = health ?? {};
  return [
    ...(cannotEncrypt === '' ? [] : [field(`not possible: ${cannotEncrypt}`)]),
    ...(keysOnDisk === '' ? [] : [field(keysOnDisk)]),
  ];
}

function field(text: string): [string, Cell] {
  return ['encryption', { text, tone: 'bad' }];
}

export function healthValue(health: HostHealth | undefined): object | null {
  if (health === undefined) return null;
  const { loopDelayMs, eventsLost, announcementsSent, announcementsDropped, failedOps, refusedKeys } = health;
  const counts = { loopDelayMs, eventsLost, announcementsSent, announcementsDropped, failedOps };
  return { ...counts, cannotEncrypt: orNull(health.cannotEncrypt), refusedKeys, keysOnDisk: orNull(health.keysOnDisk) };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}

export function nodeValue(node: Node): object {
  const { id, name, dataPath, underlayMtu, version, networks, endpoints } = node;
  const { drained, hostRoutes, labels, revision } = node;
  return {
    id,
    name,
    ready: isKnown(node) ? node.ready : null,
    drained,
    dataPath,
    underlayMtu,
    version,
    networks,
    endpoints,
    repairs: isKnown(node) ? node.repairs : null,
    health: healthValue(node.health),
    hostRoutes,
    labels,
    conditions: conditionValues(node.conditions),
    createdAt: timeValue(node.createdAtMs),
    revision,
  };
}

function row(node: Node, now: number): Cell[] {
  return [
    node.name,
    readiness(node),
    node.dataPath,
    String(node.networks),
    String(node.endpoints),
    repairs(node),
    ageCell(node.createdAtMs, now),
    String(node.underlayMtu),
    node.version,
    pairsText(node.labels),
    conditionsCell(node.conditions),
    node.id,
    String(node.revision),
  ];
}

/** Without a leader, no manager knows the state of hosts: neither "not ready" nor "no repairs" would be true. */
function isKnown({ conditions }: Node): boolean {
  return conditions.find(({ type }) => type === 'Ready')?.status !== 'unknown';
}

function repairs(node: Node): string {
  return isKnown(node) ? String(node.repairs) : '-';
}

function readiness(node: Node): Cell {
  const drained = node.drained ? ', drained' : '';
  if (!isKnown(node)) return { text: `unknown${drained}`, tone: 'bad' };
  return node.ready
    ? { text: `yes${drained}`, tone: node.drained ? 'bad' : 'good' }
    : { text: `no${drained}`, tone: 'bad' };
}
