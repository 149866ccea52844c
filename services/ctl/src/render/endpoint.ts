import type { Applied, Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Answer, Cell, Heading, Sheet } from '../answer.ts';
import { conditionFields, conditionsCell, conditionValues } from './condition.ts';
import { pairsText } from './pairs.ts';
import { ageCell, createdCell, timeValue } from './time.ts';
import type { Shown } from './watch.ts';

const columns: readonly Heading[] = [
  { title: 'NAME' },
  { title: 'NETWORK' },
  { title: 'HOST' },
  { title: 'ADDRESSES' },
  { title: 'APPLIED' },
  { title: 'AGE' },
  { title: 'MAC', wide: true },
  { title: 'LABELS', wide: true },
  { title: 'CONDITIONS', wide: true },
  { title: 'ID', wide: true },
  { title: 'REVISION', wide: true },
];

/** For watches. Leaves out which hosts have applied the endpoint, because that changes without a change of the store. */
export const shownEndpoint: Shown<Endpoint> = {
  columns: [
    { title: 'NAME', width: 16 },
    { title: 'NETWORK', width: 12 },
    { title: 'HOST', width: 8 },
    { title: 'ADDRESSES', width: 28 },
    { title: 'LABELS' },
  ],
  name: fullName,
  value: (endpoint) => ({ ...identity(endpoint), labels: endpoint.labels }),
  row: ({ name, network, host, addresses, labels }) => [name, network, host, addresses.join(', '), pairsText(labels)],
};

/**
 * "brief" counts the hosts that have the endpoint's last change. "full" also names the hosts that do not, and has labels
 * and conditions.
 */
export function endpointAnswer(endpoint: Endpoint, applied: 'brief' | 'full', now: number): Answer {
  return {
    value:
      applied === 'brief'
        ? { ...identity(endpoint), applied: counts(endpoint) }
        : {
            ...identity(endpoint),
            labels: endpoint.labels,
            applied: detail(endpoint),
            conditions: conditionValues(endpoint.conditions),
          },
    names: [fullName(endpoint)],
    table: sheet(endpoint, now),
  };
}

export function endpointsAnswer(endpoints: readonly Endpoint[], now: number): Answer {
  return {
    value: endpoints.map((endpoint) => ({
      ...identity(endpoint),
      labels: endpoint.labels,
      applied: counts(endpoint),
      conditions: conditionValues(endpoint.conditions),
    })),
    names: endpoints.map(fullName),
    table: { kind: 'grid', columns, rows: endpoints.map((endpoint) => row(endpoint, now)) },
  };
}

/** "1/3, p99 84 ms, waiting: h2; unreachable: h3" */
export function appliedText(applied: Applied): string {
  const parts = [`${applied.have}/${applied.want}`];
  if (applied.p99Ms > 0) parts.push(`p99 ${Math.round(applied.p99Ms)} ms`);
  if (applied.waiting.length > 0) parts.push(`waiting: ${applied.waiting.join(' ')}`);
  if (applied.unreachable.length > 0) parts.push(`unreachable: ${applied.unreachable.join(' ')}`);
  return parts.join(', ');
}

/** The name that every command accepts: the endpoint's name alone may be ambiguous. */
function fullName({ network, name }: Endpoint): string {
  return `${network}/${name}`;
}

function identity(endpoint: Endpoint): object {
  const { id, name, network, host, addresses, mac, createdAtMs, revision } = endpoint;
  return { id, name, network, host, addresses, mac, createdAt: timeValue(createdAtMs), revision };
}

/** null: unknown, because the server that answered does not follow the hosts. */
function counts({ applied }: Endpoint): object | null {
  return applied === undefined ? null : { have: applied.have, want: applied.want };
}

function detail({ applied }: Endpoint): object | null {
  if (applied === undefined) return null;
  const { have, want, waiting, unreachable, p99Ms } = applied;
  return { have, want, waiting, unreachable, p99Ms: Math.round(p99Ms * 10) / 10 };
}

function row(endpoint: Endpoint, now: number): Cell[] {
  const { applied } = endpoint;
  return [
    endpoint.name,
    endpoint.network,
    endpoint.host,
    endpoint.addresses.join(', '),
    applied === undefined ? '' : toned(applied, `${applied.have}/${applied.want}`),
    ageCell(endpoint.createdAtMs, now),
    endpoint.mac,
    pairsText(endpoint.labels),
    conditionsCell(endpoint.conditions),
    endpoint.id,
    String(endpoint.revision),
  ];
}

function sheet(endpoint: Endpoint, now: number): Sheet {
  const { applied } = endpoint;
  return {
    kind: 'sheet',
    fields: [
      ['name', endpoint.name],
      ['id', endpoint.id],
      ['network', endpoint.network],
      ['host', endpoint.host],
      ['addresses', endpoint.addresses.join(', ')],
      ['MAC', endpoint.mac],
      ['labels', pairsText(endpoint.labels)],
      ['created', createdCell(endpoint.createdAtMs, now)],
      ['revision', String(endpoint.revision)],
      ['applied', applied === undefined ? '' : toned(applied, appliedText(applied))],
      ...conditionFields(endpoint.conditions, now),
    ],
  };
}

function toned(applied: Applied, text: string): Cell {
  return { text, tone: applied.have === applied.want && applied.unreachable.length === 0 ? 'good' : 'bad' };
}
