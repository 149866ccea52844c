import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityDirectory, revokedPath } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { View } from '../../store/view.ts';
import { testCluster } from '../../testing/members.ts';
import { readRemovals } from '../removals-file.ts';
import { RevokedManagers } from './revoked-managers.ts';

const removal = {
  role: 'manager',
  id: 'm2',
  at: 1,
  until: 2,
  reason: 'manager m2, by ops',
  serials: ['a1b2'],
} as const;
let dataDir: string;
let cuts: number;
/** What the store says; undefined: it has not been read. */
let serials: readonly string[] | undefined;
let changed: () => void;
let revoked: RevokedManagers;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'causeway-revoked-'));
  cuts = 0;
  serials = undefined;
  revoked = create();
});
afterEach(async () => {
  await revoked.stop();
  rmSync(dataDir, { recursive: true });
});

function create(): RevokedManagers {
  const view = {
    get cluster() {
      return serials && { id: testCluster.id };
    },
    records: () => ({
      revokedSerials: serials ?? [],
      all: new Map([['manager/m2', { value: { ...removal, serials } }]]),
    }),
    subscribe: (listener: (changes: readonly { kind: string }[]) => void) => {
      changed = () => listener([{ kind: 'removed' }]);
      return () => undefined;
    },
  } as unknown as Pick<View, 'cluster' | 'records' | 'subscribe'>;
  const credential = testCluster.member('manager', 'm1');
  const cut = async (): Promise<void> => void cuts++;
  return new RevokedManagers({ view, credential, cut, clock: systemClock, log: new MemoryLog() }, { dataDir });
}

/** The serial numbers in the file, as OpenSSL reads them. */
function inFile(): readonly string[] {
  const path = revokedPath(identityDirectory(dataDir));
  const { stdout } = spawnSync('openssl', ['crl', '-in', path, '-text', '-noout'], { encoding: 'utf8' });
  if (stdout.includes('No Revoked Certificates')) return [];
  return [...stdout.matchAll(/Serial Number: (\w+)/g)].map(([, serial = '']) => serial.toLowerCase()).sort();
}

function removed(...all: readonly string[]): void {
  serials = all;
  changed();
}

const become = (all: readonly string[]) => vi.waitFor(() => expect(inFile()).toEqual(all));

test('there is a list before etcd starts, which follows the store, and connections are cut when it grows', async () => {
  await revoked.start();
  expect(inFile()).toEqual([]);
  removed('a1b2', 'c3d4');
  await become(['a1b2', 'c3d4']);
  await vi.waitFor(() => expect(cuts).toBe(1));
  removed('c3d4');
  await become(['c3d4']);
  removed('c3d4', 'e5f6');
  await vi.waitFor(() => expect(cuts).toBe(2));
});

test('a manager that starts keeps the list of its last run until it has read the store', async () => {
  await revoked.start();
  removed('a1b2');
  await become(['a1b2']);
  await revoked.stop();
  serials = undefined;
  revoked = create();
  await revoked.start();
  expect(inFile()).toEqual(['a1b2']);
  cuts = 0;
  removed('a1b2');
  removed('a1b2', 'c3d4');
  await become(['a1b2', 'c3d4']);
  await vi.waitFor(() => expect(cuts).toBe(1));
});

test('all removals are on disk, for a restore', async () => {
  await revoked.start();
  removed('a1b2');
  await become(['a1b2']);
  expect(await readRemovals(dataDir, testCluster.id)).toEqual([{ ...removal, serials: ['a1b2'] }]);
  expect(await readRemovals(dataDir, 'fedcba9876543210' as ClusterId)).toEqual([]);
});
