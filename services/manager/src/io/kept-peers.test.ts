import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepPeers, readPeers } from './kept-peers.ts';

let dataDir: string;
let log: MemoryLog;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'causeway-peers-'));
  log = new MemoryLog();
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test('the managers of the cluster are known at the next start', async () => {
  expect(await readPeers({ log }, dataDir)).toEqual([]);
  await keepPeers({ log }, dataDir, ['10.0.0.1:7443', '10.0.0.2:7443']);
  await keepPeers({ log }, dataDir, ['10.0.0.1:7443', '10.0.0.3:7443']);
  expect(await readPeers({ log }, dataDir)).toEqual(['10.0.0.1:7443', '10.0.0.3:7443']);
  expect(log.lines).toEqual([]);
});

test('a file that cannot be used keeps no manager from its start', async () => {
  mkdirSync(join(dataDir, 'identity'), { mode: 0o700 });
  writeFileSync(join(dataDir, 'identity/membership.json'), '{"managers":7}', { mode: 0o600 });
  expect(await readPeers({ log }, dataDir)).toEqual([]);
  chmodSync(join(dataDir, 'identity/membership.json'), 0o644);
  await keepPeers({ log }, dataDir, ['10.0.0.1:7443']);
  expect(log.lines.map(({ event }) => event)).toEqual(['managers.not-read', 'managers.not-kept']);
  chmodSync(join(dataDir, 'identity/membership.json'), 0o600);
  await keepPeers({ log }, dataDir, ['10.0.0.1:7443']);
  expect(await readPeers({ log }, dataDir)).toEqual(['10.0.0.1:7443']);
});
