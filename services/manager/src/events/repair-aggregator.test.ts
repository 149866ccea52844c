import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import { expect, test } from 'vitest';
import { RepairAggregator } from './repair-aggregator.ts';

const drift = (kind: string, key: string): Drift => ({
  host: '',
  network: 'blue',
  kind,
  key,
  actual: '',
  desired: 'dst 192.0.2.2',
});

test('the first repair is recorded at once, and similar repairs together later', () => {
  const tally = new RepairAggregator();
  tally.add('h1', drift('fdb', 'm0'), 0);
  expect(tally.due).toBe(0);
  expect(tally.take(0)).toEqual([
    {
      kind: 'drift.repaired',
      actor: 'agent/h1',
      cause: 'drift',
      network: 'blue',
      host: 'h1',
      count: 1,
      message: 'fdb m0 repaired: missing -> dst 192.0.2.2 on h1',
    },
  ]);
  for (let i = 1; i <= 20_000; i++) tally.add('h1', drift('fdb', `m${i}`), 10);
  expect(tally.take(4_999)).toEqual([]);
  expect(tally.due).toBe(5_000);
  const [first, ...more] = tally.take(5_000);
  expect(more).toEqual([]);
  expect(first).toMatchObject({ count: 20_000 });
  expect(first?.message).toMatch(/^20000 of fdb on h1 repaired, such as m1 .*; m2 .*; m3 [^;]*$/);
});

test('hosts, networks and kinds are counted separately, and finished counts are dropped', () => {
  const tally = new RepairAggregator();
  tally.add('h1', drift('fdb', 'a'), 0);
  tally.add('h1', drift('neighbour', 'b'), 0);
  tally.add('h2', drift('fdb', 'c'), 0);
  tally.add('h2', { ...drift('fdb', 'd'), network: 'green' }, 0);
  expect(tally.take(0)).toHaveLength(4);
  expect(tally.due).toBeUndefined();
  expect(tally.take(60_000)).toEqual([]);
  tally.add('h1', drift('fdb', 'e'), 60_000);
  expect(tally.take(60_000)).toHaveLength(1);
});
