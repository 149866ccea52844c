import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../deploy/install.sh', import.meta.url));
let root: string;

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
    // Only what the program's help lists is a setting.
    const { stdout: help } = run(join(root, program), ['--help']);
    for (const [, name] of (await readFile(join(root, settings), 'utf8')).matchAll(/^#?(CAUSEWAY_\w+)=/gm))
      expect(help.replaceAll(/\s+/g, ' ')).toContain(`env: ${name})`);
  }
  expect(run(join(root, 'usr/bin/causeway'), ['version']).stdout).toMatch(/^causeway /);
});

test('again: settings that were filled in stay', async () => {
  run(script);
  const settings = join(root, 'etc/causeway/agent.env');
  await writeFile(settings, 'CAUSEWAY_NAME=h7\n');
  expect(run(script).status).toBe(0);
  await expect(readFile(settings, 'utf8')).resolves.toBe('CAUSEWAY_NAME=h7\n');
});
