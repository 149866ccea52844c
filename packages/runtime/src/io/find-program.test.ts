import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findProgram } from './find-program.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'find-program-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (...paths: readonly string[]): void => {
  for (const path of paths) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
};
const link = (path: string, target: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
};
const find = (running: string, ...path: readonly string[]): string | undefined => {
  const found = findProgram('causeway-agent', {
    running: join(root, running),
    path: path.map((folder) => join(root, folder)).join(':'),
  });
  return found?.map((word) => word.replace(process.execPath, 'node').replace(`${root}/`, '')).join(' ');
};

test('a package: the links beside each other in /usr/bin lead to the bundles', () => {
  put('usr/lib/causeway/causeway.mjs', 'usr/lib/causeway/causeway-agent.mjs');
  link('usr/bin/causeway', '../lib/causeway/causeway.mjs');
  link('usr/bin/causeway-agent', '../lib/causeway/causeway-agent.mjs');
  expect(find('usr/bin/causeway')).toBe('node usr/lib/causeway/causeway-agent.mjs');
  expect(find('usr/lib/causeway/causeway.mjs')).toBe('node usr/lib/causeway/causeway-agent.mjs');
});

test('a clone: what npm links is found from every file in it', () => {
  put('services/agent/bin/causeway-agent.js', 'services/ctl/bin/causeway.js');
  link('node_modules/.bin/causeway-agent', '../../services/agent/bin/causeway-agent.js');
  const agent = 'node services/agent/bin/causeway-agent.js';
  expect(find('node_modules/.bin/causeway')).toBe(agent);
  expect(find('services/ctl/bin/causeway.js')).toBe(agent);
  expect(find('test/chaos/dist/main.js')).toBe(agent);
});

test('PATH comes last, and a program that is no script for Node is started as it is', () => {
  put('first/other', 'bin/causeway-agent', 'usr/bin/causeway');
  expect(find('usr/bin/causeway', 'first', 'bin')).toBe('bin/causeway-agent');
  link('usr/bin/causeway-agent', '../../bin/causeway-agent');
  put('later/causeway-agent');
  expect(find('usr/bin/causeway', 'later')).toBe('bin/causeway-agent');
});

test('nothing is found where there is nothing', () => {
  expect(find('usr/bin/causeway', 'bin')).toBeUndefined();
});
