import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterId, parseClusterId } from '@causeway/model';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { writeClusterRecord } from '../cluster-record.ts';
import { checkDirectory, initCommand } from './init-command.ts';

let root: string;
let dataDir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'causeway-init-'));
  dataDir = join(root, 'manager');
  await mkdir(dataDir);
});
afterEach(() => rm(root, { recursive: true }));

/** No test here has a program. */
const caProgram = (): never => {
  throw new Error('no program');
};

const put = (names: readonly string[]) => Promise.all(names.map((name) => writeFile(join(dataDir, name), '')));

test.each<[string, readonly string[]]>([
  ['an empty directory', []],
  ['one that init was run on before', ['etcd.init']],
  ['what a first start that was cut off has left', ['etcd.bootstrapping', 'etcd.log', 'etcd.members', 'holder.pid']],
  ['a new file system', ['lost+found']],
])('takes %s', async (_, names) => {
  await put(names);
  await mkdir(join(dataDir, 'etcd'));
  expect(await checkDirectory(dataDir)).toBeUndefined();
});

test.each<[string, readonly string[], string]>([
  ["an agent's data", ['identity.a', 'sandboxes.a', 'holder.pid'], 'identity.a, sandboxes.a'],
  ['the data of a manager that has joined', ['identity', 'sealing-key.json'], 'identity, sealing-key.json'],
  ['many files', ['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'a, b, c, d, e and 2 more'],
])('refuses a directory with %s, and names it', async (_, names, named) => {
  await put(names);
  await expect(checkDirectory(dataDir)).rejects.toMatchObject({
    code: 'invalid-argument',
    message: `--data-dir ${dataDir}: it holds ${named}, which are not the files of a manager: name an empty directory`,
    data: { field: '--data-dir', value: dataDir },
  });
  expect((await readdir(dataDir)).sort()).toEqual([...names].sort());
});

describe('the command', () => {
  async function run(...options: readonly string[]): Promise<string> {
    const written: string[] = [];
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    try {
      const own = ['--name', 'm1', '--data-dir', dataDir, '--operator-dir', join(root, 'operator')];
      await initCommand({ clock: systemClock, random: cryptoRandom, caProgram })
        .exitOverride()
        .parseAsync([...own, ...options], { from: 'user' });
    } finally {
      spy.mockRestore();
    }
    return written.join('');
  }

  test('prepares the cluster and says the same when it is repeated, also after the first start', async () => {
    const said = await run('--output', 'json');
    const { clusterId, caFingerprint, operatorDirectory } = JSON.parse(said) as Record<string, string>;
    expect(parseClusterId(clusterId ?? '').ok).toBe(true);
    expect(caFingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(operatorDirectory).toBe(join(root, 'operator'));
    expect(await run('--output', 'json')).toBe(said);
    expect(await readdir(dataDir)).toContain('etcd.init');
    await mkdir(join(dataDir, 'etcd', 'member'), { recursive: true });
    await rm(join(dataDir, 'founding.json'));
    await writeClusterRecord(dataDir, { clusterId: clusterId as ClusterId, etcdCluster: 'a1' });
    expect(await run('--output', 'json')).toBe(said);
  });

  test('says to people where everything is', async () => {
    expect(await run()).toMatch(
      /founds the cluster [0-9a-f]{16}, .*\nfingerprint of its CA: .*\n.*operator: .*operator\n$/,
    );
  });

  test.each<[string, readonly string[], string]>([
    ['a life that is too long', ['--certificate-life', '2400h'], '--certificate-life'],
    ['a life that is no duration', ['--certificate-life', 'long'], '--certificate-life'],
    ['an address that is none', ['--etcd-peer-address', 'here'], '--etcd-peer-address'],
    ['a key without its certificate', ['--ca-key', '/nowhere'], '--ca-cert'],
    ['a certificate without its key', ['--ca-cert', '/nowhere'], '--ca-key'],
    ['a program without the certificate', ['--ca-program', '/nowhere'], '--ca-cert'],
    ['a program beside a key', ['--ca-cert', '/a', '--ca-key', '/b', '--ca-program', '/c'], '--ca-program'],
    ['a program by a relative path', ['--ca-cert', '/a', '--ca-program', 'bin/ca'], '--ca-program'],
    ['a name that is none', ['--operator', '-'], '--operator'],
  ])('refuses %s, and writes nothing', async (_, options, field) => {
    await expect(run(...options)).rejects.toMatchObject({ data: { field } });
    expect(await readdir(dataDir)).toEqual([]);
  });
});
