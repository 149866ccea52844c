import type { Condition } from '@causeway/proto/gen/causeway/v1/types.js';
import { expect, test } from 'vitest';
import { conditionFields, conditionValues } from './condition.ts';

const now = 1_700_000_000_000;
const ready: Condition = {
  type: 'Ready',
  status: 'true',
  reason: 'Session',
  message: 'its agent has a session',
  sinceRevision: 3n,
  sinceTimeMs: BigInt(now - 125_000),
};

test.each<[string, Partial<Condition>, string, string | null]>([
  ['known', {}, 'true, Session since revision 3, 2m5s ago: its agent has a session', '2023-11-14T22:11:15.000Z'],
  ['older than the manager', { sinceTimeMs: 0n }, 'true, Session since revision 3, -: its agent has a session', null],
  ['not known at all', { sinceRevision: 0n, sinceTimeMs: 0n }, 'true, Session: its agent has a session', null],
])('since when: %s', (_, over, text, sinceTime) => {
  const condition = { ...ready, ...over };
  expect(conditionFields([condition], now)).toEqual([['ready', { text, tone: 'good' }]]);
  expect(conditionValues([condition])).toEqual([expect.objectContaining({ sinceTime })]);
});
