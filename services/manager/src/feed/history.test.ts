import { feedVersions } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { networkId, ViewScript } from '../testing/view-script.ts';
import {
  allHistoryBytes,
  entryOverhead,
  History,
  HistoryBudget,
  type HistoryEntry,
  historyRows,
  rowBytes,
  touchedRows,
} from './history.ts';
import { Publisher } from './publisher.ts';

/** A view with some networks of one endpoint each, and a publisher with this budget for their history. */
function world(networks: number, budget: HistoryBudget): { script: ViewScript; publisher: Publisher } {
  const script = new ViewScript();
  const publisher = new Publisher(script.view, feedVersions, budget);
  publisher.update([{ kind: 'reset', revision: script.revision }]);
  script.view.subscribe((changes) => publisher.update(changes));
  script.commit({ put: 'node', node: 1 }, { put: 'node', node: 2 });
  for (let network = 1; network <= networks; network++) script.commit({ put: 'network', network });
  return { script, publisher };
}

/** A step that adds and changes rows with these ids. */
function step(from: bigint, added: readonly string[] = [], changed: readonly string[] = []): HistoryEntry {
  return { from, to: from + 1n, sumsBefore: [], isNetworkChanged: false, rows: { endpoint: { added, changed } } };
}

/** The revisions at which the kept steps begin. */
function kept(history: History, ...from: readonly bigint[]): readonly bigint[] {
  return from.filter((revision) => history.since(revision) !== undefined);
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `row ${i}`);

describe('the history of one network', () => {
  const pushed = (...steps: readonly HistoryEntry[]): History => {
    const history = new History(new HistoryBudget());
    for (const each of steps) history.push(each);
    return history;
  };

  test('gives the steps from a revision to the present', () => {
    const history = pushed(step(1n), step(2n), step(3n));
    expect(history.since(2n)?.map(({ from }) => from)).toEqual([2n, 3n]);
    expect([history.since(0n), history.since(4n)]).toEqual([undefined, undefined]);
  });

  test('gives the newer of two steps that begin at one revision: the table has begun anew there', () => {
    expect(pushed(step(5n), step(6n), step(5n)).since(5n)).toHaveLength(1);
  });

  test('keeps as many rows as it may, counting added and changed ones', () => {
    const half = historyRows / 2;
    const [first, second] = [step(1n, ids(half)), step(2n, ids(half / 2), ids(half / 2))];
    expect(kept(pushed(first, second), 1n, 2n)).toEqual([1n, 2n]);
    expect(kept(pushed(first, second, step(3n, ids(1))), 1n, 2n, 3n)).toEqual([2n, 3n]);
  });

  test('has room again for the rows of a dropped step', () => {
    const half = historyRows / 2;
    const steps = [1n, 2n, 3n, 4n].map((from) => step(from, ids(half)));
    expect(kept(pushed(...steps), 1n, 2n, 3n, 4n)).toEqual([3n, 4n]);
  });

  test('counts a step without rows as one row', () => {
    const history = pushed(step(1n), step(2n, ids(historyRows - 1)));
    expect(kept(history, 1n, 2n)).toEqual([1n, 2n]);
    history.push(step(3n));
    expect(kept(history, 1n, 2n, 3n)).toEqual([2n, 3n]);
  });

  test('keeps no step that alone has too many rows, and none before it', () => {
    const history = pushed(step(1n), step(2n, ids(historyRows + 1)));
    expect(kept(history, 1n, 2n)).toEqual([]);
    history.push(step(3n, ids(historyRows)));
    expect(kept(history, 3n)).toEqual([3n]);
  });

  test('is empty when nothing is left to drop', () => {
    const history = pushed(step(1n));
    expect([history.dropOldest(), history.dropOldest()]).toEqual([true, false]);
  });
});

describe('the histories of two networks that share a budget', () => {
  test('may fill the budget to the last byte; one more step costs the oldest step of either', () => {
    const budget = new HistoryBudget({ most: 2 * entryOverhead + 3 * rowBytes });
    const [blue, red] = [new History(budget), new History(budget)];
    blue.push(step(1n, ids(1), ['other']));
    red.push(step(2n, ids(1)));
    expect(budget.bytes).toBe(2 * entryOverhead + 3 * rowBytes);
    expect([kept(blue, 1n), kept(red, 2n)]).toEqual([[1n], [2n]]);
    red.push(step(3n));
    expect(budget.bytes).toBe(2 * entryOverhead + rowBytes);
    expect([kept(blue, 1n), kept(red, 2n, 3n)]).toEqual([[], [2n, 3n]]);
  });

  test('get the bytes back of a history that is cleared', () => {
    const budget = new HistoryBudget();
    const [blue, red] = [new History(budget), new History(budget)];
    for (const from of [1n, 2n]) blue.push(step(from, ids(2)));
    red.push(step(1n));
    blue.clear();
    expect(budget.bytes).toBe(entryOverhead);
    expect([kept(blue, 1n, 2n), kept(red, 1n)]).toEqual([[], [1n]]);
  });
});

test.each<[string, readonly HistoryEntry[], readonly (readonly [string, boolean])[]]>([
  ['added', [step(1n, ['a'])], [['a', false]]],
  ['changed', [step(1n, [], ['a'])], [['a', true]]],
  ['added, then changed', [step(1n, ['a']), step(2n, [], ['a'])], [['a', false]]],
  ['removed, then added again', [step(1n, [], ['a']), step(2n, ['a'])], [['a', true]]],
  [
    'added beside another that is changed',
    [step(1n, ['a'], ['b'])],
    [
      ['a', false],
      ['b', true],
    ],
  ],
])('whether a row existed before the steps: %s', (_, steps, expected) => {
  expect([...touchedRows(steps, 'endpoint')]).toEqual(expected);
});

describe('the past of all networks together', () => {
  test('is as many bytes as it may be, however many networks change however often', () => {
    const most = 1024 * 1024;
    const budget = new HistoryBudget({ most });
    const { script } = world(1_000, budget);
    const random = new SeededRandom(1);
    let highest = 0;
    for (let i = 0; i < 10_000; i++) {
      const network = 1 + Math.floor(random.float() * 1_000);
      script.commit({ put: 'endpoint', endpoint: network, network, node: 1 + (i % 2) });
      highest = Math.max(highest, budget.bytes);
    }
    expect(highest).toBeLessThanOrEqual(most);
    expect(highest).toBeGreaterThan(most * 0.95);
  });

  test('loses the oldest steps first, so an agent that was away for a moment is continued', () => {
    const { script, publisher } = world(100, new HistoryBudget({ most: 60 * (entryOverhead + rowBytes) }));
    const feed = feedVersions.at(-1);
    if (feed === undefined) throw new Error('no feed version');
    const cursors = Array.from({ length: 100 }, (_, i) => {
      script.commit({ put: 'endpoint', endpoint: i + 1, network: i + 1, node: 1 });
      const table = publisher.tables.get(networkId(i + 1));
      const cursor = {
        networkId: networkId(i + 1),
        revision: table?.revision ?? 0n,
        digest: table?.digest(feed) ?? 0n,
      };
      return { ...cursor, feedVersion: feed.number };
    });
    for (let i = 0; i < 100; i++) script.commit({ put: 'endpoint', endpoint: i + 1, network: i + 1, node: 2 });
    const steps = cursors.map((cursor) => publisher.tables.get(networkId(parse(cursor)))?.continued(cursor, feed));
    expect(steps.map((step) => step !== undefined)).toEqual([
      ...Array.from({ length: 40 }, () => false),
      ...Array.from({ length: 60 }, () => true),
    ]);
  });

  test('is given back with the network, and when it begins anew', () => {
    const budget = new HistoryBudget();
    const { script } = world(10, budget);
    for (let network = 1; network <= 10; network++)
      script.commit({ put: 'endpoint', endpoint: network, network, node: 1 });
    expect(budget.bytes).toBeGreaterThan(10 * entryOverhead);
    for (let network = 1; network <= 10; network++)
      script.commit({ delete: 'endpoint', endpoint: network, network }, { delete: 'network', network });
    expect(budget.bytes).toBe(0);
  });

  test('is an eighth of what a manager may have', () => {
    expect(allHistoryBytes * 8).toBeLessThanOrEqual(512 * 1024 * 1024);
  });
});

function parse({ networkId: id }: { readonly networkId: string }): number {
  return Number.parseInt(id.slice(1), 16);
}
