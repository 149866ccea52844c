import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createRequest } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import type { RequestId } from '@causeway/model';
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

test.each([
  ['is cut off', (text: string) => text.slice(0, text.indexOf('PRIVATE KEY') + 60)],
  ['is no JSON', () => 'PRIVATE KEY: secret words'],
  ['has no key', (text: string) => text.replaceAll('BEGIN', 'BEGUN')],
])('an attempt whose file %s is refused, and the error has nothing of its key', async (_, damage) => {
  const directory = join(folder(), 'identity');
  const home = new DirectoryHome({ directory });
  const key = createKey();
  const requestId = '5d8b0e5a-5f2c-4f0e-8a53-0d9c4f2b7a11' as RequestId;
  await home.keepAttempt({ about: 'a token', requestId, key, request: createRequest(key) });
  const path = join(directory, 'attempt.json');
  writeFileSync(path, damage(readFileSync(path, 'utf8')));
  const error: unknown = await home.attempt().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'data-damaged', message: expect.stringContaining(`${path} is damaged`) });
  expect(inspect(error, { depth: null })).not.toMatch(/PRIVATE|secret words/);
});
