import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

const clone = fileURLToPath(new URL('..', import.meta.url));
const script = join(clone, 'deploy/install.sh');
const uninstall = join(clone, 'deploy/uninstall.sh');
let root: string;

beforeAll(() => {
  expect(spawnSync(process.execPath, [join(clone, 'tools/bundle.mjs')]).status).toBe(0);
});

beforeEach(async () => {
  root = await mkdtemp('/tmp/causeway-install-');
});
afterEach(async () => await rm(root, { recursive: true }));

const run = (command: string, args: readonly string[] = []) =>
  spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, DESTDIR: root }, cwd: '/' });

test('what the units start is there and starts', async () => {
  expect(run(script)).toMatchObject({ status: 0, stderr: '' });
  const units = join(root, 'etc/systemd/system');
  for (const unit of await readdir(units)) {
    const text = await readFile(join(units, unit), 'utf8');
    const program = /^ExecStart=(\S+)$/m.exec(text)?.[1] ?? '';
    const settings = /^EnvironmentFile=(\S+)$/m.exec(text)?.[1] ?? '';
    expect(run(join(root, program), ['--version'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+/),
    });
    // The file may only contain settings that the program's help lists.
    const { stdout: help } = run(join(root, program), ['--help']);
    for (const [, name] of (await readFile(join(root, settings), 'utf8')).matchAll(/^#?(CAUSEWAY_\w+)=/gm))
      expect(help.replaceAll(/\s+/g, ' ')).toContain(`env: ${name})`);
  }
  expect(run(join(root, 'usr/bin/causeway'), ['version']).stdout).toMatch(/^causeway /);
});

test('installed again: settings that were filled in stay', async () => {
  run(script);
  const settings = join(root, 'etc/causeway/agent.env');
  await writeFile(settings, 'CAUSEWAY_NAME=h7\n');
  expect(run(script).status).toBe(0);
  await expect(readFile(settings, 'utf8')).resolves.toBe('CAUSEWAY_NAME=h7\n');
});

test('what is installed needs no file of the clone', async () => {
  expect(run(script).status).toBe(0);
  for (const program of ['causeway', 'causeway-agent', 'causeway-manager'])
    expect(await realpath(join(root, 'usr/bin', program))).toBe(join(root, `usr/lib/causeway/${program}.mjs`));
});

test('installed again: the programs are those of the new bundle, and nothing of the old bundle is left', async () => {
  run(script);
  await writeFile(join(root, 'usr/lib/causeway/old-file'), '');
  expect(run(script).status).toBe(0);
  expect(await readdir(join(root, 'usr/lib'))).toEqual(['causeway']);
  expect(await readdir(join(root, 'usr/lib/causeway'))).not.toContain('old-file');
});

test('uninstalled: programs and units are gone, settings and data stay', async () => {
  run(script);
  await mkdir(join(root, 'var/lib/causeway/agent'), { recursive: true });
  expect(run(uninstall)).toMatchObject({ status: 0, stderr: '' });
  expect(await filesBelow(root)).toEqual(['etc/causeway/agent.env', 'etc/causeway/manager.env']);
  expect(await readdir(join(root, 'var/lib/causeway'))).toEqual(['agent']);
  expect(run(uninstall).status).toBe(0);
});

test('uninstalled with --purge: nothing is left', async () => {
  run(script);
  await mkdir(join(root, 'var/lib/causeway/agent'), { recursive: true });
  expect(run(uninstall, ['--purge']).status).toBe(0);
  expect(await filesBelow(root)).toEqual([]);
  expect(await readdir(join(root, 'var/lib'))).toEqual([]);
});

test('an option that uninstall.sh does not have is refused, and nothing is removed', async () => {
  run(script);
  const before = await filesBelow(root);
  expect(run(uninstall, ['--pruge'])).toMatchObject({ status: 2, stderr: expect.stringContaining('--purge') });
  expect(await filesBelow(root)).toEqual(before);
});

async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  return paths.map((path) => path.slice(directory.length + 1)).sort();
}
