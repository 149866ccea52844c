import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { describeContexts } from '../testing/contexts-contract.ts';
import { MemoryContexts } from '../testing/memory-contexts.ts';
import { ContextDirectory } from './context-directory.ts';

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'causeway-contexts-'));
  folders.push(made);
  return join(made, 'causeway');
};
afterEach(() => {
  for (const each of folders.splice(0)) rmSync(each, { recursive: true });
});

describeContexts('in memory', async () => {
  const contexts = new MemoryContexts();
  return () => contexts;
});

describeContexts('a directory', async () => {
  const directory = folder();
  return () => new ContextDirectory(directory);
});

test('a context that is damaged does not hide the others, and files beside them do not count', async () => {
  const directory = folder();
  mkdirSync(join(directory, 'empty'), { recursive: true, mode: 0o700 });
  mkdirSync(join(directory, 'exposed'), { mode: 0o700 });
  for (const name of ['identity.pem', 'ca.pem']) writeFileSync(join(directory, 'exposed', name), 'x', { mode: 0o644 });
  const contexts = new ContextDirectory(directory);
  await contexts.use('exposed');
  expect(statSync(join(directory, 'current')).mode & 0o777).toBe(0o600);
  const all = await contexts.all();
  expect(all.map(({ name }) => name)).toEqual(['exposed']);
  expect(all.map(({ state }) => (state.kind === 'damaged' ? state.why : ''))).toEqual([
    expect.stringContaining('its mode is 644; expected 600'),
  ]);
});

test.each(['', '.', '..', 'a/b', '../x'])('"%s" is not the name of a context', (name) => {
  expect(() => new ContextDirectory('/nowhere').home(name)).toThrow('is not the name of a context');
});
