import { type EndpointRow, type NetworkId, type NodeId, noRows } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { deltaTo, endpointRow, tableOf, testNetwork } from '../testing/table.ts';
import { OwnRows } from './own-rows.ts';
import { type TableChange, Tables } from './tables.ts';

const { id } = testNetwork;
const other = 'ffffffffffffffff' as NetworkId;
const [a, b, c] = [endpointRow(1), endpointRow(2), endpointRow(3)];
const movedB = endpointRow(2, 'h2', '192.0.2.2');
const rowsOf = (tables: Tables): EndpointRow[] => [...(tables.get(id)?.rows.endpoint.values() ?? [])];

let clock: FakeClock;
let tables: Tables;
let changes: TableChange[];

beforeEach(() => {
  clock = new FakeClock();
  tables = new Tables({ clock });
  changes = [];
  tables.onChange((change) => changes.push(change));
});

describe('tables', () => {
  it('keep what they are given, apart from the giver', () => {
    const given = tableOf([a]);
    tables.replace(given);
    tables.step(deltaTo(tableOf([a, b]), [b], []));
    expect([given.rows.endpoint.size, rowsOf(tables)]).toEqual([1, [a, b]]);
    expect([...tables.all()].map(({ network }) => network.id)).toEqual([id]);
  });

  it('step: a delta changes rows, revision and digest, and reports the former rows', () => {
    tables.replace(tableOf([a, b]));
    const after = tableOf([movedB, c]);
    tables.step(deltaTo(after, [movedB, c], [a.id]));
    expect(tables.get(id)).toEqual({ ...after, revision: 6n });
    const endpoint = new Map([
      [a.id, a],
      [b.id, b],
      [c.id, undefined],
    ]);
    expect(changes.at(-1)).toEqual({
      kind: 'stepped',
      networkId: id,
      networkChanged: false,
      before: { ...noRows(), endpoint },
    });
  });

  it('step: a row that is removed and sent again in one delta is reported with its former value', () => {
    tables.replace(tableOf([b]));
    tables.step(deltaTo(tableOf([movedB]), [movedB], [b.id]));
    expect(rowsOf(tables)).toEqual([movedB]);
    expect(changes.at(-1)).toMatchObject({ before: { endpoint: new Map([[b.id, b]]) } });
  });

  it('step: a changed network is reported', () => {
    const network = { ...testNetwork, internal: true };
    tables.replace(tableOf([a]));
    tables.step(deltaTo(tableOf([a], { network }), [], [], { network }));
    expect(tables.get(id)?.network).toEqual(network);
    expect(changes.at(-1)).toMatchObject({ networkChanged: true });
  });

  it('refuse a step of a network without a table', () => {
    expect(() => tables.step(deltaTo(tableOf([]), [], []))).toThrow(`no table of network ${id}`);
  });

  it('report once that a table is dropped', () => {
    tables.replace(tableOf([a]));
    tables.drop(id);
    tables.drop(id);
    expect(changes.map(({ kind }) => kind)).toEqual(['replaced', 'dropped']);
    expect(tables.get(id)).toBeUndefined();
  });
});

describe('a wait for a revision', () => {
  const at = (revision: bigint) => tables.reached(id, { epoch: 1n, revision }, seconds(5));

  it('ends at once when the table is there', async () => {
    tables.replace(tableOf([a]));
    expect((await at(5n)).revision).toBe(5n);
    expect(clock.now()).toBe(0);
  });

  it('ends when the table comes to the revision, not before and not for another network', async () => {
    tables.replace(tableOf([a]));
    const reached = at(6n);
    let has = false;
    void reached.then(() => {
      has = true;
    });
    tables.replace(tableOf([a], { network: { ...testNetwork, id: other }, revision: 9n }));
    await clock.advance(seconds(1));
    expect(has).toBe(false);
    tables.step(deltaTo(tableOf([a, b]), [b], []));
    expect((await reached).revision).toBe(6n);
    expect(clock.sleeping).toBe(0);
  });

  it('does not end at an earlier revision, and leaves no listener behind', async () => {
    tables.replace(tableOf([a]));
    const reached = at(7n);
    let has = false;
    void reached.then(() => {
      has = true;
    });
    tables.step(deltaTo(tableOf([a, b]), [b], []));
    await clock.advance(seconds(1));
    expect(has).toBe(false);
    const before = changes.length;
    tables.replace(tableOf([a, b], { revision: 7n }));
    expect((await reached).revision).toBe(7n);
    tables.drop(id);
    expect(changes.length).toBe(before + 2);
  });

  it('ends with an error when the time is over', async () => {
    const failure = at(6n).catch((error: unknown) => error);
    await clock.advance(seconds(5));
    expect(await failure).toMatchObject({
      code: 'timed-out',
      message: expect.stringContaining('revision 6 within 5000'),
    });
  });
});

describe("this host's rows", () => {
  const nodeId = 'h1' as NodeId;

  it('are those of all tables, and follow every change', () => {
    tables.replace(tableOf([a, endpointRow(9, 'h2')]));
    const own = new OwnRows({ tables }, { nodeId });
    const held = (): string[] => Array.from(own.all(), ([endpoint, network]) => `${endpoint} ${network}`);
    expect(held()).toEqual([`${a.id} ${id}`]);
    tables.step(deltaTo(tableOf([]), [b, endpointRow(8, 'h2')], []));
    expect(held()).toEqual([`${a.id} ${id}`, `${b.id} ${id}`]);
    tables.step(deltaTo(tableOf([]), [movedB], [a.id]));
    expect(held()).toEqual([]);
    tables.replace(tableOf([c], { network: { ...testNetwork, id: other } }));
    tables.replace(tableOf([a, b]));
    expect(held()).toEqual([`${c.id} ${other}`, `${a.id} ${id}`, `${b.id} ${id}`]);
    tables.replace(tableOf([b]));
    expect(held()).toEqual([`${c.id} ${other}`, `${b.id} ${id}`]);
    tables.drop(id);
    expect(held()).toEqual([`${c.id} ${other}`]);
  });

  it.each<[string, EndpointRow[], string[], string[]]>([
    ['adds a row of this host', [c], [], [c.id]],
    ['adds rows of this host and of another host', [c, endpointRow(8, 'h2')], [], [c.id]],
    ['adds a row of another host', [endpointRow(8, 'h2')], [], []],
    ['takes a row to this host', [endpointRow(9, 'h1')], [], [endpointRow(9).id]],
    ['takes a row to another host', [movedB], [], [b.id]],
    ['removes a row of this host', [], [a.id], [a.id]],
    ['removes a row of another host', [], [endpointRow(9).id], []],
    ['removes a row that no table has', [], [c.id], []],
    ['changes no row', [], [], []],
  ])('a step that %s: the own rows that it changes', (_, upserts, removed, changed) => {
    tables.replace(tableOf([a, b, endpointRow(9, 'h2')]));
    const own = new OwnRows({ tables }, { nodeId });
    tables.step(deltaTo(tableOf([]), upserts, removed as EndpointRow['id'][]));
    const change = changes.at(-1);
    expect(change?.kind === 'stepped' && own.changedBy(change)).toEqual(changed);
  });
});
