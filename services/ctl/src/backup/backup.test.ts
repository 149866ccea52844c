import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import type { CreateBackupResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runLine } from '../testing/run-line.ts';
import { backupCommand } from './command.ts';
import { machineFiles } from './io/machine-files.ts';

const header = { clusterId: 'c1', epoch: 1n, revision: 7n, schema: 1, version: '0.1.0', timeMs: 1_700_000_000_000n };
const more = [backupCommand(machineFiles)];
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'causeway-ctl-backup-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function* whole(): AsyncGenerator<CreateBackupResponse> {
  yield { header, chunk: new Uint8Array() };
  yield { chunk: Buffer.from('one ') };
  yield { chunk: Buffer.from('two') };
}

async function* cutOff(): AsyncGenerator<CreateBackupResponse> {
  yield { header, chunk: Buffer.from('one') };
  throw new CausewayError('store-unavailable', 'the store is gone');
}

const create = (file: string, createBackup: () => AsyncIterable<CreateBackupResponse>) =>
  runLine(['backup', 'create', file, '-o', 'json'], { managers: { createBackup }, more });

test('a backup is the chunks in a row, and the answer names its cluster, epoch and revision', async () => {
  const file = join(directory, 'b');
  const outcome = await create(file, whole);
  expect(outcome.code).toBe(0);
  expect(JSON.parse(outcome.stdout)).toEqual({
    ...{ file, size: 7, clusterId: 'c1', epoch: 1, revision: 7, schema: 1, version: '0.1.0' },
    time: '2023-11-14T22:13:20.000Z',
  });
  expect(await readFile(file, 'utf8')).toBe('one two');
  expect(await readdir(directory)).toEqual(['b']);
});

test('a backup that is cut off leaves no file', async () => {
  const outcome = await create(join(directory, 'b'), cutOff);
  expect(outcome.code).toBe(5);
  expect(await readdir(directory)).toEqual([]);
});

test('a file that is there stays as it is', async () => {
  const file = join(directory, 'b');
  await writeFile(file, 'older');
  const outcome = await create(file, whole);
  expect(outcome.code).toBe(2);
  expect(outcome.stderr).toContain('exists already');
  expect(await readFile(file, 'utf8')).toBe('older');
});

test('a directory that is not there is named', async () => {
  const outcome = await create(join(directory, 'none', 'b'), whole);
  expect(outcome.code).toBe(2);
  expect(outcome.stderr).toContain('ENOENT');
});

test('restore is the manager’s work, and so is its exit status', async () => {
  const asked: (readonly string[])[] = [];
  const files = {
    ...machineFiles,
    restore: async (words: readonly string[]) => {
      asked.push(words);
      return 2;
    },
  };
  const line = 'backup restore /b --data-dir /d --name m1';
  const outcome = await runLine(line, { more: [backupCommand(files)] });
  expect(outcome.code).toBe(2);
  expect(asked).toEqual([['/b', '--data-dir', '/d', '--name', 'm1']]);
  expect((await runLine('backup restore /b', { more })).code).toBe(2);
});
