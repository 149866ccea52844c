import type { NetworkId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import type { ViewChange } from '../store/view.ts';
import { endpointId, networkId, nodeId, type ScriptWrite, ViewScript } from '../testing/view-script.ts';
import { FeedTable } from './feed-table.ts';
import { planStep, type Touched, touchedBy } from './steps.ts';

const blue = networkId(7);

/** A view with two hosts, and with network 7, which has endpoint 9 on host 1. */
function newScript(): ViewScript {
  const script = new ViewScript();
  script.commit({ put: 'node', node: 1 }, { put: 'node', node: 2 }, { put: 'network', network: 7 });
  script.commit({ put: 'endpoint', endpoint: 9, network: 7, node: 1 });
  return script;
}

/** A step in which only these endpoints may have changed. */
function touched(revision: bigint, ...endpoints: readonly number[]): Touched {
  return { revision, rows: { endpoint: new Set(endpoints.map(endpointId)) } };
}

/** The table of network 7 as the view has the network now. */
function tableOf({ view, revision }: ViewScript): FeedTable {
  const step = planStep(blue, touched(revision), view, undefined);
  if (step?.kind !== 'begin') throw new Error('the table of a new network begins');
  return new FeedTable(step.network, step.revision, step.rows);
}

describe('the step of a network', () => {
  test('that has no table begins with the rows that hosts can use', () => {
    const script = newScript();
    script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 3 }); // of a host that is not known
    const step = planStep(blue, touched(4n), script.view, undefined);
    expect(step).toMatchObject({ kind: 'begin', network: { value: { id: blue } }, revision: 4n });
    expect(step?.kind === 'begin' && [...step.rows.endpoint.keys()]).toEqual([endpointId(9)]);
  });

  test('that does not exist and has no table: none', () => {
    expect(planStep(networkId(8), touched(3n), newScript().view, undefined)).toBeUndefined();
  });

  test('that does not exist any more: it vanishes', () => {
    const script = newScript();
    const table = tableOf(script);
    script.commit({ delete: 'endpoint', endpoint: 9, network: 7 }, { delete: 'network', network: 7 });
    expect(planStep(blue, touched(script.revision, 9), script.view, table)).toEqual({ kind: 'vanish', network: blue });
  });

  test.each<[string, bigint, string | undefined]>([
    ['older than the table begins anew', -1n, 'begin'],
    ['of the revision that the table has: none', 0n, undefined],
    ['newer than the table moves', 1n, 'move'],
  ])('%s', (_, later, kind) => {
    const script = newScript();
    const table = tableOf(script);
    expect(planStep(blue, touched(script.revision + later, 9), script.view, table)?.kind).toBe(kind);
  });

  test.each<[string, readonly ScriptWrite[], readonly number[], { added?: number[]; removed?: number[] }]>([
    [
      'a new endpoint is added',
      [{ put: 'endpoint', endpoint: 10, network: 7, node: 2 }],
      [10],
      { added: [10], removed: [] },
    ],
    ['an endpoint that is gone is removed', [{ delete: 'endpoint', endpoint: 9, network: 7 }], [9], { removed: [9] }],
    ['a row that is as before is not sent', [{ put: 'endpoint', endpoint: 9, network: 7, node: 1 }], [9], {}],
    ['a row follows the address of its host', [{ put: 'node', node: 1, vtep: '192.0.2.99' }], [9], { added: [9] }],
    ['an endpoint that came and went between the steps is neither', [], [10], {}],
    [
      'a new endpoint of a host that is not known is no row',
      [{ put: 'endpoint', endpoint: 10, network: 7, node: 3 }],
      [10],
      {},
    ],
    [
      'an endpoint of another network is no row',
      [
        { put: 'network', network: 8 },
        { put: 'endpoint', endpoint: 10, network: 8, node: 1 },
      ],
      [10],
      {},
    ],
  ])('%s', (_, writes, endpoints, { added = [], removed = [] }) => {
    const script = newScript();
    const table = tableOf(script);
    const from = script.revision;
    const to = script.commit(...writes);
    const step = planStep(blue, touched(to, ...endpoints), script.view, table);
    expect(step).toMatchObject({ kind: 'move', network: blue, from, to, changed: undefined });
    const { upserts, removed: gone } = step?.kind === 'move' ? step.changes.endpoint : { upserts: [], removed: [] };
    expect([upserts.map(({ id }) => id), gone]).toEqual([added.map(endpointId), removed.map(endpointId)]);
  });

  test('has the network itself when the network has changed', () => {
    const script = newScript();
    const table = tableOf(script);
    const to = script.commit({ put: 'network', network: 7, mtu: 1400 });
    const step = planStep(blue, touched(to), script.view, table);
    expect(step).toMatchObject({ changed: { revision: to, value: { mtu: { bytes: 1400 } } } });
  });
});

describe('what changes of the view touch', () => {
  type Found = Record<NetworkId, { revision: bigint; rows: readonly string[] }>;

  /** What all changes after the first script touch, taken together. */
  function found(act: (script: ViewScript) => void, tables: ReadonlyMap<NetworkId, FeedTable> = new Map()): Found {
    const script = newScript();
    const changes: ViewChange[] = [];
    script.view.subscribe((more) => changes.push(...more));
    act(script);
    const all = [...touchedBy(changes, script.view, tables)];
    return Object.fromEntries(
      all.map(([network, { revision, rows }]) => [network, { revision, rows: [...rows.endpoint] }]),
    );
  }

  test('the network itself, with no row', () => {
    expect(found((script) => script.commit({ put: 'network', network: 7 }))).toEqual({
      [blue]: { revision: 4n, rows: [] },
    });
  });

  test('every endpoint that changed, once, at the revision of the last change', () => {
    const touch = found((script) => {
      script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 1 });
      script.commit({ delete: 'endpoint', endpoint: 9, network: 7 }, { put: 'network', network: 8 });
      script.commit({ delete: 'endpoint', endpoint: 10, network: 7 });
    });
    expect(touch).toEqual({
      [blue]: { revision: 6n, rows: [endpointId(10), endpointId(9)] },
      [networkId(8)]: { revision: 5n, rows: [] },
    });
  });

  test('the newest revision counts, in whatever order the changes are given', () => {
    const script = newScript();
    const change = (revision: bigint): ViewChange => ({ kind: 'reset', revision });
    const touch = touchedBy([change(9n), change(4n)], script.view, new Map());
    expect(touch.get(blue)?.revision).toBe(9n);
  });

  test('the endpoints of a host that has another address now, and no others', () => {
    const touch = found((script) => {
      script.commit({ put: 'endpoint', endpoint: 10, network: 7, node: 2 });
      script.commit({ put: 'node', node: 1, vtep: '192.0.2.99' });
    });
    expect(touch[blue]).toEqual({ revision: 5n, rows: [endpointId(10), endpointId(9)] });
    expect(found((script) => script.commit({ put: 'node', node: 2, vtep: '192.0.2.98' }))).toEqual({});
  });

  test('after a reset: every network and endpoint of the view and of the tables', () => {
    const script = newScript();
    script.commit({ put: 'network', network: 8 }, { put: 'endpoint', endpoint: 11, network: 7, node: 2 });
    const tables = new Map([[blue, tableOf(script)]]);
    const touch = found((other) => {
      other.reset({ put: 'network', network: 9 }, { put: 'endpoint', endpoint: 12, network: 9, node: 2 });
    }, tables);
    expect(touch).toEqual({
      [blue]: { revision: 4n, rows: [endpointId(9), endpointId(11)] },
      [networkId(9)]: { revision: 4n, rows: [endpointId(12)] },
    });
  });

  test('after a reset: a network that only has a table any more', () => {
    const tables = new Map([[networkId(5), tableOf(newScript())]]);
    expect(Object.keys(found((script) => script.reset(), tables))).toEqual([blue, networkId(5)]);
  });
});

test('the hosts in a row are those of the view', () => {
  expect([...tableOf(newScript()).hosts]).toEqual([[nodeId(1), 1]]);
});
