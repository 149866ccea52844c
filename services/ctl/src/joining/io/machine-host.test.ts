import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MachineHost } from './machine-host.ts';

let root: string;
let host: MachineHost;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'causeway-host-'));
  host = new MachineHost(root);
});
afterEach(() => rmSync(root, { recursive: true }));

test('settings are below the root directory, and only the owner may read them', async () => {
  expect(await host.readSettings('agent')).toBe('');
  await host.writeSettings('agent', 'CAUSEWAY_NAME=h1\n');
  expect(await host.readSettings('agent')).toBe('CAUSEWAY_NAME=h1\n');
  expect(host.settingsFile('agent')).toBe(join(root, 'etc/causeway/agent.env'));
  expect(statSync(host.settingsFile('agent')).mode & 0o777).toBe(0o600);
  expect(host.dataDir('manager')).toBe(join(root, 'var/lib/causeway/manager'));
});

test('with another root directory, no service of this machine is started or stopped', async () => {
  expect([await host.start('agent', true), await host.stop('agent'), host.isWritable]).toEqual([false, false, true]);
});

describe('the address towards a manager', () => {
  test.each([
    ['127.0.0.1:7443', '127.0.0.1'],
    ['localhost:7443', /^(127\.0\.0\.1|::1)$/],
  ])('%s', async (target, expected) => {
    expect(String(await host.addressTowards(target))).toMatch(expected);
  });

  test('of a host that does not exist', async () => {
    await expect(host.addressTowards('nowhere.invalid:7443')).rejects.toMatchObject({ code: 'address-absent' });
  });
});

test('a token comes from a file', async () => {
  const file = join(root, 'token');
  writeFileSync(file, 'CWAY1-agent-…\n');
  expect(await host.readToken(file)).toBe('CWAY1-agent-…\n');
  await expect(host.readToken(join(root, 'none'))).rejects.toMatchObject({ code: 'invalid-argument' });
});
