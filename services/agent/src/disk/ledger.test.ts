import {
  type EndpointId,
  type EndpointRow,
  feedVersions,
  InterfaceAddress,
  Ip,
  Mac,
  type Name,
  type NodeId,
  noRowChanges,
  noRows,
} from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Table } from '../tables/table.ts';
import { Tables } from '../tables/tables.ts';
import { MemoryFiles } from '../testing/memory-files.ts';
import { testNetwork as network, tableOf } from '../testing/table.ts';
import { AbFile } from './ab-file.ts';
import { decodeFrame, encodeFrame } from './frame.ts';
import { Ledger } from './ledger.ts';

function row(n: number): EndpointRow {
  return {
    id: n.toString(16).padStart(16, '0') as EndpointId,
    name: `web-${n}` as Name,
    node: '00000000000000b1' as NodeId,
    addresses: [InterfaceAddress(`10.66.0.${n}/16`), InterfaceAddress(`fd66::${n}/64`)],
    mac: Mac(`02:42:0a:42:00:${n.toString(16).padStart(2, '0')}`),
    vtep: Ip('192.0.2.2'),
  };
}

function table(revision: bigint, rows: EndpointRow[]): Table {
  return tableOf(rows, { revision });
}

function world(files = new MemoryFiles()) {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const tables = new Tables({ clock });
  return { files, clock, log, tables, ledger: new Ledger({ files, clock, log, tables }, { feeds: feedVersions }) };
}

const file = 'network-00000000000000aa';

describe('frame', () => {
  it('reads back what it wrote, whatever is left behind it of a longer one', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(), fc.uint8Array(), (payload, sequence, rest) => {
        const read = decodeFrame(Uint8Array.of(...encodeFrame({ kind: 'sandboxes', sequence, payload }), ...rest));
        expect(read).toEqual({ ok: true, value: { kind: 'sandboxes', sequence, payload } });
      }),
    );
  });

  it('refuses any one damaged byte and any shorter file', () => {
    const whole = encodeFrame({ kind: 'identity', sequence: 7, payload: new TextEncoder().encode('{"nodeId":"x"}') });
    for (let at = 0; at < whole.length; at++) {
      expect(decodeFrame(whole.slice(0, at)).ok).toBe(false);
      for (const bit of [1, 128]) {
        const damaged = whole.slice();
        damaged[at] = (damaged[at] ?? 0) ^ bit;
        expect(decodeFrame(damaged).ok, `byte ${at}`).toBe(false);
      }
    }
  });

  it.each([
    ['a later format', 'causeway-ledger 2 whatever\n', 'data-too-new', 'written in format 2, this agent reads 1'],
    ['something else', '{"nodeId":"x"}\n', 'data-damaged', 'not a file of the ledger'],
    ['no number of a format', 'causeway-ledger x identity 1 0 00000000\n', 'data-damaged', 'not a file of the ledger'],
    ['nothing', '', 'data-damaged', 'no header line'],
  ])('says why: %s', (_, text, code, reason) => {
    expect(decodeFrame(new TextEncoder().encode(text))).toMatchObject({ ok: false, error: { code, message: reason } });
  });
});

describe('AbFile', () => {
  const twin = (files: MemoryFiles): AbFile => new AbFile({ files, log: new MemoryLog() }, { kind: 'identity' });
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

  it('keeps the last good copy when a write is torn, at every byte', async () => {
    const length = encodeFrame({ kind: 'identity', sequence: 3, payload: bytes('three') }).length;
    for (let at = 0; at < length; at++) {
      const files = new MemoryFiles();
      const writer = twin(files);
      await writer.save(bytes('one'));
      await writer.save(bytes('two'));
      files.tearNextAt = at;
      await expect(writer.save(bytes('three'))).rejects.toThrow('power');
      const reader = twin(files);
      expect(await reader.load()).toEqual(bytes('two'));
      await reader.save(bytes('four'));
      expect(await twin(files).load(), `torn at ${at}`).toEqual(bytes('four'));
    }
  });

  it('gives what was saved last, also when it is shorter', async () => {
    const files = new MemoryFiles();
    for (const text of ['one', 'number two', 'a long number three', 'four', '5', '']) {
      const writer = twin(files);
      await writer.load();
      await writer.save(bytes(text));
      expect(await twin(files).load()).toEqual(bytes(text));
    }
  });

  it('does not wait for the disk, but before it touches the other copy', async () => {
    const files = new MemoryFiles();
    const writer = twin(files);
    await writer.save(bytes('one'));
    let flushed = (): void => undefined;
    files.flushing = new Promise((resolve) => {
      flushed = resolve;
    });
    await writer.save(bytes('two'));
    expect(await twin(files).load()).toEqual(bytes('two'));
    const before = new Map(files.contents);
    const saving = writer.save(bytes('three'));
    await Promise.resolve();
    expect(files.contents).toEqual(before);
    flushed();
    await saving;
    expect(await twin(files).load()).toEqual(bytes('three'));
  });

  it('keeps the last copy that is known to be on disk when one does not get there', async () => {
    const files = new MemoryFiles();
    const writer = twin(files);
    await writer.save(bytes('one'));
    const good = files.contents.get('identity.b');
    files.flushing = Promise.reject(new Error('I/O error'));
    for (const text of ['two', 'three', 'four']) {
      await writer.save(bytes(text));
      expect(files.contents.get('identity.b')).toEqual(good);
      expect(await twin(files).load()).toEqual(bytes(text));
    }
    await writer.save(bytes('five'));
    await expect(writer.flushed()).rejects.toThrow('its disk did not store identity.a');
  });

  it('refuses to go on from the older copy when a later agent wrote the other', async () => {
    const files = new MemoryFiles('/data');
    await twin(files).save(bytes('old'));
    files.contents.set('identity.a', bytes('causeway-ledger 2 identity 9\n{}'));
    await expect(twin(files).load()).rejects.toMatchObject({
      code: 'data-too-new',
      message: expect.stringMatching(
        '/data: a newer version of the agent has used it .identity.a: written in format 2',
      ),
    });
  });

  it('refuses to start from damage alone, naming the directory', async () => {
    const files = new MemoryFiles('/data');
    files.contents.set('identity.b', bytes('rubbish'));
    await expect(twin(files).load()).rejects.toMatchObject({
      code: 'data-damaged',
      message: expect.stringContaining('/data is damaged'),
    });
  });
});

describe('Ledger', () => {
  it('gives the next agent the tables, written once for many changes', async () => {
    const first = world();
    await first.ledger.start();
    for (let n = 1; n <= 9; n++) first.tables.replace(table(BigInt(n), [row(1), row(2), row(n)]));
    await first.clock.advance(seconds(1));
    expect(first.files.writes).toBe(1);
    const second = world(first.files);
    await second.ledger.start();
    expect(second.tables.get(network.id)).toEqual(table(9n, [row(1), row(2), row(9)]));
  });

  it('writes a table that changes meanwhile as it was when the writing began', async () => {
    const { ledger, tables, files, clock } = world();
    await ledger.start();
    const rows = Array.from({ length: 600 }, (_, n) => ({
      ...row(n % 250),
      id: n.toString(16).padStart(16, '0') as EndpointId,
    }));
    const whole = table(1n, rows);
    tables.replace(whole);
    const changes = { ...noRowChanges(), endpoint: { upserts: [], removed: [row(0).id] } };
    const leaves = { networkId: network.id, from: 1n, to: 2n, digest: 0n, changes };
    clock.yield = async () => {
      if (tables.get(network.id)?.revision === 1n) tables.step(leaves);
    };
    await ledger.stop();
    expect(tables.get(network.id)?.rows.endpoint.size).toBe(599);
    const next = world(files);
    await next.ledger.start();
    expect(next.tables.get(network.id)).toEqual(whole);
  });

  it('writes on stop what was waiting, and removes what was dropped', async () => {
    const { ledger, tables, files } = world();
    await ledger.start();
    tables.replace(table(1n, [row(1)]));
    await ledger.stop();
    expect([...files.contents.keys()]).toEqual([file]);
    const next = world(files);
    await next.ledger.start();
    next.tables.drop(network.id);
    await next.ledger.stop();
    expect(files.contents.size).toBe(0);
  });

  it('never takes a torn table for whole, at any byte', async () => {
    const { ledger, tables, files } = world();
    await ledger.start();
    tables.replace(table(1n, [row(1), row(2)]));
    await ledger.stop();
    const whole = files.contents.get(file) ?? new Uint8Array();
    for (let at = 0; at < whole.length; at++) {
      files.contents.set(file, whole.slice(0, at));
      const next = world(files);
      await next.ledger.start();
      expect(next.tables.get(network.id), `torn at ${at}`).toBeUndefined();
      expect(next.log.lines.map((line) => line.event)).toEqual(['ledger.damaged']);
    }
  });

  it('says once that the disk is full, goes on, and writes when there is room again', async () => {
    const { ledger, tables, files, clock, log } = world();
    await ledger.start();
    files.capacity = 0;
    tables.replace(table(1n, [row(1)]));
    await clock.advance(seconds(30));
    expect(log.lines.filter((line) => line.event === 'ledger.not-written')).toHaveLength(1);
    files.capacity = 1e6;
    await clock.advance(seconds(6));
    expect(files.contents.has(file)).toBe(true);
  });
});

describe('Tables', () => {
  it('applies a delta, and reports the former rows', () => {
    const { tables } = world();
    const changes: unknown[] = [];
    tables.replace(table(1n, [row(1), row(2)]));
    tables.onChange((change) => changes.push(change));
    const moved = { ...row(2), vtep: Ip('192.0.2.9') };
    const after = table(2n, [moved, row(3)]);
    tables.step({
      networkId: network.id,
      from: 1n,
      to: 2n,
      digest: after.digest,
      changes: { ...noRowChanges(), endpoint: { upserts: [moved, row(3)], removed: [row(1).id] } },
    });
    expect(tables.get(network.id)).toEqual(after);
    expect(changes).toEqual([
      {
        kind: 'stepped',
        networkId: network.id,
        networkChanged: false,
        before: {
          ...noRows(),
          endpoint: new Map([
            [row(1).id, row(1)],
            [row(2).id, row(2)],
            [row(3).id, undefined],
          ]),
        },
      },
    ]);
  });

  it('waits for a revision, and gives up in time', async () => {
    const { tables, clock } = world();
    const reached = tables.reached(network.id, { epoch: 1n, revision: 2n }, seconds(5));
    tables.replace(table(1n, []));
    await clock.advance(milliseconds(10));
    tables.replace(table(3n, []));
    expect((await clock.until(reached, seconds(1))).revision).toBe(3n);
    await expect(
      clock.until(tables.reached(network.id, { epoch: 1n, revision: 4n }, seconds(5)), seconds(6)),
    ).rejects.toMatchObject({
      code: 'timed-out',
    });
  });
});
