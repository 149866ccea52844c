import type { VerifyResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Answer, Cell, Heading } from '../answer.ts';

const columns: readonly Heading[] = [
  { title: 'HOST' },
  { title: 'NETWORK' },
  { title: 'KIND' },
  { title: 'KEY' },
  { title: 'ACTUAL' },
  { title: 'DESIRED' },
];

/** `remaining`: what a second check found after a repair; absent: nothing was repaired. */
export function verifyAnswer(found: VerifyResponse, remaining: readonly Drift[] | undefined): Answer {
  const value = { drift: found.drift.map(driftValue), checked: found.checked, unreachable: found.unreachable };
  return {
    value: remaining === undefined ? value : { ...value, remaining: remaining.map(driftValue) },
    names: [...new Set(found.drift.map((drift) => drift.host))],
    table:
      found.drift.length === 0
        ? {
            kind: 'line',
            text: found.checked.length === 0 ? 'no host verified' : `no drift on ${hosts(found.checked.length)}`,
          }
        : { kind: 'grid', columns, rows: found.drift.map(row) },
  };
}

export function hosts(count: number): string {
  return count === 1 ? '1 host' : `${count} hosts`;
}

export function differences(count: number): string {
  return count === 1 ? '1 difference' : `${count} differences`;
}

/** null: the object does not exist, or should not exist. */
function driftValue({ host, network, kind, key, actual, desired }: Drift): object {
  return { host, network, kind, key, actual: actual || null, desired: desired || null };
}

function row(drift: Drift): Cell[] {
  return [
    drift.host,
    drift.network,
    drift.kind,
    drift.key,
    drift.actual === '' ? { text: 'missing', tone: 'bad' } : drift.actual,
    drift.desired === '' ? { text: 'absent', tone: 'bad' } : drift.desired,
  ];
}
