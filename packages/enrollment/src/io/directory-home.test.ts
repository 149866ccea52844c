import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKey } from '@causeway/identity/io';
import { systemClock } from '@causeway/runtime/io';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, expect, test } from 'vitest';
import { enroll } from '../enroll.ts';
import { describeHome, MemoryHome, MemoryManagers } from '../testing/index.ts';
import { DirectoryHome } from './directory-home.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'causeway-home-'));
  folders.push(made);
  return made;
};
afterEach(() => {
  for (const each of folders.splice(0)) rmSync(each, { recursive: true });
});

describeHome('in memory', async () => {
  const home = new MemoryHome();
  return () => home;
});

describeHome('a directory', async () => {
  const directory = join(folder(), 'identity');
  return () => new DirectoryHome({ directory });
});

test('a manager’s sealing key is kept, and only the owner may read any of the files', async () => {
  const within = folder();
  const [directory, sealingKey] = [join(within, 'identity'), join(within, 'sealing-key.json')];
  const parts = { clock: systemClock, random: new SeededRandom(1) };
  const managers = new MemoryManagers(parts);
  const asked = { token: managers.createToken('manager'), addresses: ['10.0.0.1:7443'], name: 'm2' as never };
  const home = new DirectoryHome({ directory, sealingKey });
  await enroll({ ...parts, knock: managers.knock, home, createKey }, asked, new AbortController().signal);
  expect(readFileSync(sealingKey, 'utf8')).toBe('the sealing key\n');
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  expect(modeOf(directory)).toBe('700');
  for (const path of [
    sealingKey,
    ...['identity.pem', 'ca.pem', 'membership.json'].map((name) => join(directory, name)),
  ])
    expect(modeOf(path)).toBe('600');
});
