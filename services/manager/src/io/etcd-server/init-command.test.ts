import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { allowFounding } from './init-command.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'causeway-init-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const put = (names: readonly string[]) => Promise.all(names.map((name) => writeFile(join(dataDir, name), '')));

test.each<[string, readonly string[]]>([
  ['an empty directory', []],
  ['one that init was run on before', ['etcd.init']],
  ['what a first start that was cut off has left', ['etcd.bootstrapping', 'etcd.log', 'etcd.members', 'holder.pid']],
  ['a new file system', ['lost+found']],
])('takes %s', async (_, names) => {
  await put(names);
  await mkdir(join(dataDir, 'etcd'));
  await allowFounding(dataDir);
  expect((await readdir(dataDir)).sort()).toEqual([...new Set([...names, 'etcd', 'etcd.init'])].sort());
});

test.each<[string, readonly string[], string]>([
  ["an agent's data", ['identity.a', 'sandboxes.a', 'holder.pid'], 'identity.a, sandboxes.a'],
  ['many files', ['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'a, b, c, d, e and 2 more'],
])('refuses a directory with %s, and names it', async (_, names, named) => {
  await put(names);
  await expect(allowFounding(dataDir)).rejects.toMatchObject({
    code: 'invalid-argument',
    message: `--data-dir ${dataDir}: it holds ${named}, which are not the files of a manager: name an empty directory`,
    data: { field: '--data-dir', value: dataDir },
  });
  expect((await readdir(dataDir)).sort()).toEqual([...names].sort());
});
