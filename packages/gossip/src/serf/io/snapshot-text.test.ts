import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SnapshotRecord } from '../snapshot.ts';
import { SnapshotFile } from './snapshot-file.ts';
import { lineOf, parseSnapshot } from './snapshot-text.ts';

/** As serf 0.10 writes it. */
const text = `alive: n1 10.0.0.1:7946
alive: name with spaces [2001:db8:0:0:0:0:0:1]:7947
not-alive: n1
clock: 12
event-clock: 3
query-clock: 4
leave
`;

const records: readonly SnapshotRecord[] = [
  { type: 'alive', name: 'n1', addr: Uint8Array.of(10, 0, 0, 1), port: 7946 },
  {
    type: 'alive',
    name: 'name with spaces',
    addr: Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    port: 7947,
  },
  { type: 'not-alive', name: 'n1' },
  { type: 'clock', time: 12 },
  { type: 'event-clock', time: 3 },
  { type: 'query-clock', time: 4 },
  { type: 'leave' },
];

test('the file of serf is read and written', () => {
  expect(parseSnapshot(text)).toEqual(records);
  expect(records.map(lineOf).join('')).toBe(text);
});

test.each([
  'alive: n1 10.0.0.1',
  'alive: n1 10.0.0.1:99999',
  'alive: n1 host:1',
  'clock: x',
  'coordinate: []',
  '',
  'lea',
])('the line "%s" says nothing', (line) => {
  expect(parseSnapshot(line)).toEqual([]);
});

test('a name cannot bring lines of its own', () => {
  const record = { type: 'alive', name: 'n\nleave', addr: Uint8Array.of(10, 0, 0, 1), port: 1 } as const;
  expect([lineOf(record), lineOf({ type: 'not-alive', name: 'n\r' })]).toEqual(['', '']);
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serf-snapshot-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('a file keeps what was appended since it was written anew', async () => {
  const path = join(folder, 'snapshot');
  const file = await SnapshotFile.open(path, false);
  file.onError((why) => expect.fail(why));
  expect(file.restored.alive.size).toBe(0);
  for (const record of records) file.write('append', [record]);
  file.write('replace', records.slice(0, 1));
  file.write('append', records.slice(3, 4));
  await file.close();
  file.write('append', records.slice(4, 5));
  await file.close();
  expect(await readFile(path, 'utf8')).toBe('alive: n1 10.0.0.1:7946\nclock: 12\nevent-clock: 3\n');
  const again = await SnapshotFile.open(path, false);
  expect(again.restored.times).toEqual({ clock: 12, 'event-clock': 3, 'query-clock': 0 });
});

test('a file that cannot be written is told, and one that cannot be read is an error', async () => {
  const errors: string[] = [];
  const file = await SnapshotFile.open(join(folder, 'missing', 'snapshot'), false);
  file.onError((why) => errors.push(why));
  file.write('append', records);
  await file.close();
  expect(errors).toHaveLength(1);
  await writeFile(join(folder, 'file'), '');
  await expect(SnapshotFile.open(join(folder, 'file', 'snapshot'), false)).rejects.toThrow('ENOTDIR');
});
