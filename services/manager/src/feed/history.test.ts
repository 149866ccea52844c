import { feedVersions } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { networkId, ViewScript } from '../testing/view-script.ts';
import { allHistoryBytes, entryOverhead, HistoryBudget, rowBytes } from './history.ts';
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
