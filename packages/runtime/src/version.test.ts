import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { version } from './version.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => JSON.parse(readFileSync(`${root}${path}`, 'utf8'));
const lock = read('package-lock.json').packages as Record<string, { readonly version?: string }>;
const ours = Object.keys(lock).filter((path) => path !== '' && !path.includes('node_modules/'));

test('the workspaces are found', () => expect(ours).toContain('services/agent'));

test.each(ours)('%s has the version of the whole', (path) => {
  expect(read(`${path}/package.json`).version).toBe(version);
});
