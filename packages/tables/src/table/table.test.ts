import type { ClusterId } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { KeyedSignatures } from '../testing/keyed-signatures.ts';
import { idOf, network, put } from '../testing/rows.ts';
import type { Batch } from '../wire/batch.ts';
import { Reader } from '../wire/bytes.ts';
import { formatPosition, isBehind, lastStep } from '../wire/position.ts';
import type { RowChange } from '../wire/row.ts';
import { encodeHashes, LiveSet, readHashes, rootOf } from './live-set.ts';
import { NetworkTable } from './network-table.ts';
import { batchesTo } from './publish.ts';

const cluster = '0123456789abcdef' as ClusterId;
const signer = new KeyedSignatures().signer(new Uint8Array(32));
const removed = (number: number): RowChange => ({ type: 'removed', id: idOf(number) });

/** A manager: its table, and the rows of the store. */
class Manager {
  readonly table = new NetworkTable(network);
  live = LiveSet.empty();

  publish(revision: number, changes: readonly RowChange[], epoch = 1n): readonly Batch[] {
    this.live = this.live.with(changes);
    const batches = batchesTo(this.table, { live: this.live, epoch, revision: BigInt(revision) }, cluster, signer);
    for (const batch of batches) if (this.table.offer(batch).type !== 'applied') this.table.install(batch, this.live);
    return batches;
  }
}

function at({ position }: NetworkTable): string {
  return position === undefined ? 'nothing' : formatPosition(position);
}

describe('a live set', () => {
  const change = fc.tuple(fc.nat(300), fc.boolean()).map(([number, isPut]) => (isPut ? put(number) : removed(number)));
  const changes = fc.array(change, { maxLength: 60 });

  it('has a root that depends on its rows and not on their history', () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const set = LiveSet.empty().with(first).with(second);
        const again = LiveSet.empty().with([...set.rows()].reverse().map((row) => ({ type: 'put', ...row }) as const));
        expect(again.root).toEqual(set.root);
        expect(again.size).toBe([...set.rows()].length);
        expect(rootOf(readHashes(new Reader(encodeHashes(set.hashes()))))).toEqual(set.root);
      }),
    );
  });

  it('says what makes it of another, and which buckets differ', () => {
    fc.assert(
      fc.property(changes, changes, (first, second) => {
        const [a, b] = [LiveSet.empty().with(first), LiveSet.empty().with(second)];
        expect(a.with(b.changesSince(a)).root).toEqual(b.root);
        const rows = new Map(a.differing(b.hashes()).map((index) => [index, b.rowsIn(index)]));
        expect(a.withBuckets(rows).root).toEqual(b.root);
        expect(b.changesSince(b)).toEqual([]);
      }),
    );
  });

  it('changes its root with every part of a row', () => {
    const set = LiveSet.empty().with([put(1)]);
    for (const changed of [{ state: 'suspended' }, { revision: 8n }] as const)
      expect(set.with([put(1, changed)]).root).not.toEqual(set.root);
  });
});

describe('a table', () => {
  it('takes batches in order, keeps early ones for later, and takes none twice', () => {
    const manager = new Manager();
    const [first, second, third] = [[put(1)], [put(2), removed(1)], [put(3)]].flatMap((changes, i) =>
      manager.publish(10 + i, changes),
    );
    const table = new NetworkTable(network);
    expect(table.offer(third as Batch).type).toBe('parked');
    expect(table.offer(second as Batch).type).toBe('parked');
    expect(table.offer(first as Batch)).toMatchObject({ type: 'applied', changes: [{ type: 'put' }, { type: 'put' }] });
    expect([at(table), table.isWaiting, table.live.root]).toEqual(['1/12', false, manager.live.root]);
    expect(table.offer(second as Batch).type).toBe('stale');
  });

  it('takes whole a revision that needs several batches', () => {
    const manager = new Manager();
    const batches = manager.publish(
      10,
      Array.from({ length: 50 }, (_, i) => put(i)),
    );
    const table = new NetworkTable(network);
    const seen = batches.map((batch) => {
      table.offer(batch);
      return at(table);
    });
    expect(seen).toEqual(['1/10 step 1', '1/10 step 2', '1/10']);
    expect(table.live.root).toEqual(manager.live.root);
  });

  it('takes a batch of another manager that overlaps with those that it has', () => {
    const [a, b] = [new Manager(), new Manager()];
    const [first] = a.publish(10, [put(1)]);
    b.table.offer(first as Batch);
    b.live = b.table.live;
    const [second] = a.publish(11, [put(2)]);
    const [both] = b.publish(12, [put(2), put(3)]);
    const table = new NetworkTable(network);
    for (const batch of [first, second, both]) expect(table.offer(batch as Batch).type).toBe('applied');
    expect([at(table), table.live.root]).toEqual(['1/12', b.live.root]);
  });

  it('is left alone by a batch that does not lead to the rows that the manager has', () => {
    const [a, b] = [new Manager(), new Manager()];
    a.publish(9, [put(9)]);
    const [other] = b.publish(10, [put(1)]);
    expect(a.table.offer(other as Batch).type).toBe('diverged');
    expect(at(a.table)).toBe('1/9');
    expect(a.table.install(other as Batch, a.live)).toBeUndefined();
    expect(a.table.install(other as Batch, b.live)).toHaveLength(2);
    expect(at(a.table)).toBe('1/10');
    expect(a.table.install(other as Batch, LiveSet.empty())).toEqual([]);
  });

  it('goes to a new epoch, whose revision may be lower, and never back', () => {
    const manager = new Manager();
    const [old] = manager.publish(50, [put(1), put(2)]);
    const later = manager.publish(40, [removed(2)], 2n);
    expect(later.map(({ changes }) => changes.length)).toEqual([0]);
    expect([at(manager.table), manager.table.live.root]).toEqual(['2/40', manager.live.root]);
    expect(manager.table.offer(old as Batch).type).toBe('stale');
    const table = new NetworkTable(network);
    table.offer(old as Batch);
    expect(table.offer(later[0] as Batch).type).toBe('parked');
    table.install(later[0] as Batch, manager.live);
    expect([at(table), table.isWaiting]).toEqual(['2/40', false]);
  });

  it('parks no more than a gap is worth', () => {
    const manager = new Manager();
    const batches = Array.from({ length: 100 }, (_, i) => manager.publish(10 + i, [put(i)])[0] as Batch);
    const table = new NetworkTable(network);
    for (const batch of batches.slice(1)) table.offer(batch);
    table.offer(batches[0] as Batch);
    expect(at(table)).toBe('1/74');
  });
});

describe('the log of a table', () => {
  const manager = new Manager();
  const batches = Array.from(
    { length: 700 },
    (_, i) => manager.publish(10 + i, [put(i % 20, { revision: BigInt(i) })])[0] as Batch,
  );
  const { table } = manager;

  it('leads from each position that it has to the end', () => {
    expect(table.since(batches[690]?.to)).toEqual(batches.slice(691));
    expect(table.since(table.position)).toEqual([]);
    expect(table.since({ epoch: 1n, revision: 10_000n, step: lastStep })).toEqual([]);
  });

  it('forgets the oldest, and says that it does', () => {
    const kept = table.since(batches[300]?.to) ?? [];
    expect(kept).toHaveLength(399);
    expect(table.since(batches[10]?.to)).toBeUndefined();
    expect(table.since(undefined)).toBeUndefined();
    expect(table.since({ epoch: 2n, revision: 1n, step: 0 })).toEqual([]);
  });
});

test('a manager has nothing to say about what the tables have', () => {
  const manager = new Manager();
  manager.publish(10, [put(1)]);
  expect(manager.publish(10, [put(2)])).toEqual([]);
  expect(manager.publish(9, [put(2)])).toEqual([]);
});

test('a change of very many rows is a proof only: hosts get the rows from one another', () => {
  const [batch, ...more] = new Manager().publish(
    10,
    Array.from({ length: 1_100 }, (_, i) => put(i)),
  );
  expect([batch?.changes.length, more.length]).toEqual([0, 0]);
});

test('positions are ordered by epoch, revision and step', () => {
  const sorted = [undefined, [1n, 5n, 1], [1n, 5n, lastStep], [1n, 6n, 1], [2n, 1n, 1]] as const;
  const positions = sorted.map((each) => each && { epoch: each[0], revision: each[1], step: each[2] });
  positions.forEach((a, i) => {
    expect(positions.map((b) => isBehind(a, b))).toEqual(positions.map((_, j) => i < j));
  });
});
