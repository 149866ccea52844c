import {
  type EndpointRow,
  type FeedVersion,
  feedVersions,
  type UnknownDriver,
  type UnknownNetwork,
} from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deltaTo, endpointRow, newestFeed, tableOf, testNetwork } from '../testing/table.ts';
import { type Delta, type DeltaMismatch, Interner, isKnownTable, mismatchOf, type Table } from './table.ts';

const [a, b, c] = [endpointRow(1), endpointRow(2), endpointRow(3)];
const movedB = endpointRow(2, 'h2', '192.0.2.2');
const before = tableOf([a, b]);
const lowered = { ...testNetwork, mtu: { kind: 'automatic', bytes: 1400 } } as const;
const session = { epoch: 1n, feed: newestFeed };

describe('a delta', () => {
  it.each<[string, Table | undefined, Delta, DeltaMismatch | undefined]>([
    ['that adds a row fits', before, deltaTo(tableOf([a, b, c]), [c], []), undefined],
    ['that changes a row fits', before, deltaTo(tableOf([a, movedB]), [movedB], []), undefined],
    ['that removes a row fits', before, deltaTo(tableOf([a]), [], [b.id]), undefined],
    ['that removes a row that was not there fits', before, deltaTo(before, [], [c.id]), undefined],
    [
      'that changes the network fits',
      before,
      deltaTo(tableOf([a, b], { network: lowered }), [], [], { network: lowered }),
      undefined,
    ],
    ['of a network without a table does not', undefined, deltaTo(before, [], []), 'unknown-network'],
    ['of another epoch does not', { ...before, epoch: 2n }, deltaTo(before, [], []), 'chain'],
    ['of another feed version does not', { ...before, feed: 1 }, deltaTo(before, [], []), 'chain'],
    ['from an earlier revision does not', before, deltaTo(before, [], [], { from: 4n }), 'chain'],
    ['from a later revision does not', before, deltaTo(before, [], [], { from: 6n }), 'chain'],
    ['without a row of its digest does not', before, deltaTo(tableOf([a, b, c]), [], []), 'digest'],
    ['without a removal of its digest does not', before, deltaTo(tableOf([a]), [], []), 'digest'],
    [
      'without the network of its digest does not',
      before,
      deltaTo(tableOf([a, b], { network: lowered }), [], []),
      'digest',
    ],
  ])('%s', (_, table, delta, expected) => expect(mismatchOf(table, delta, session)).toBe(expected));

  it('of any content fits exactly when it leads to the content of its digest, in each feed version', () => {
    const content = fc.dictionary(fc.constantFrom('1', '2', '3', '4'), fc.constantFrom('h1', 'h2'));
    const rowsOf = (hosts: Record<string, string>): EndpointRow[] =>
      Object.entries(hosts).map(([n, node]) => endpointRow(Number(n), node));
    fc.assert(
      fc.property(
        content,
        content,
        content,
        fc.constantFrom(...feedVersions),
        (from, to, claimed, feed: FeedVersion) => {
          const [old, now] = [tableOf(rowsOf(from), {}, feed), tableOf(rowsOf(to), {}, feed)];
          const { digest } = tableOf(rowsOf(claimed), {}, feed);
          const removed = [...old.rows.endpoint.values()]
            .map(({ id }) => id)
            .filter((id) => !now.rows.endpoint.has(id));
          const delta = deltaTo(now, rowsOf(to), removed, { digest });
          expect(mismatchOf(old, delta, { epoch: 1n, feed })).toBe(digest === now.digest ? undefined : 'digest');
        },
      ),
    );
  });
});

it('a table is known when this agent knows the driver of its network', () => {
  const { vni: _, ...common } = testNetwork;
  const network: UnknownNetwork = { ...common, driver: 'macvlan' as UnknownDriver, sentVni: 0 };
  expect([isKnownTable(before), isKnownTable({ ...before, network })]).toEqual([true, false]);
});

it('an interned row is equal to the row', () => {
  const interner = new Interner();
  expect([a, movedB, a].map((row) => interner.row('endpoint', row))).toEqual([a, movedB, a]);
});
