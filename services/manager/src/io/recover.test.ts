import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Credential,
  createSealingKey,
  formatUnlockKey,
  isPassing,
  lock,
  openFile,
  verifyPeer,
} from '@causeway/identity';
import { identityDirectory, readCredential } from '@causeway/identity/io';
import { type Name, unwrap } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Founding } from '../cluster/bootstrap.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';
import { prepareCluster } from './found.ts';
import { removeFounding } from './founding-file.ts';
import { keepCa, readKeptCa } from './kept-ca.ts';
import { readOwnCredential } from './own-credential.ts';
import { recoverManager, recoverOperator } from './recover.ts';
import { readSealingKey, writeSealingKey } from './sealing-key-file.ts';

const random = new SeededRandom(5);
let clock: FakeClock;
let log: MemoryLog;
let dataDir: string;
let operatorDir: string;
let founding: Founding;

beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'causeway-recover-'));
  clock = new FakeClock();
  log = new MemoryLog();
  dataDir = join(root, 'manager');
  operatorDir = join(root, 'operator');
  const caProgram = () => {
    throw new Error('no program');
  };
  const settings = {
    dataDir,
    name: 'm1',
    hosts: ['127.0.0.1', 'fd00::1', 'localhost'],
    operator: 'admin',
    life: minutes(60),
  };
  founding = await prepareCluster({ clock, random, caProgram }, { ...settings, operatorDirectory: () => operatorDir });
  clock.stepWall(31 * 24 * 3_600_000);
});
afterEach(() => rm(join(dataDir, '..'), { recursive: true }));

const parts = () => ({ clock, random, log });
const settings = () => ({ dataDir });

function check({ chain }: Pick<Credential, 'chain'>): string {
  const { clusterId: cluster, ca } = founding;
  const expected = { cluster, roles: ['manager', 'operator'] as const, trust: ca.roots, now: clock.wall() };
  const { name } = unwrap(verifyPeer(chain, expected));
  return `${name.role}/${name.id}`;
}

test('a manager whose certificate has expired gets another from its disk: its name and its hosts stay', async () => {
  const expired = await readCredential(identityDirectory(dataDir));
  expect(() => check(expired)).toThrow('expired');
  const own = await readOwnCredential({ name: 'm1', dataDir }, clock.wall(), () => recoverManager(parts(), settings()));
  expect(check(own.current)).toBe('manager/m1');
  const { chain } = await readCredential(identityDirectory(dataDir));
  expect(chain[0].serial).toBe(own.current.chain[0].serial);
  expect(chain[0].x509.subjectAltName).toBe(expired.chain[0].x509.subjectAltName);
  expect(chain[0].notAfter - clock.wall()).toBe(minutes(45));
  expect(isPassing(chain[0])).toBe(true);
  // What the managers seal for a manager is sealed for its key.
  expect(own.current.key.equals(expired.key)).toBe(true);
  expect(log.lines.map(({ event }) => event)).toEqual(['manager.recovered']);
});

test('a certificate that was made while the clock was ahead is replaced when the clock is right', async () => {
  const ahead = await recoverManager(parts(), settings());
  clock.stepWall(-31 * 24 * 3_600_000);
  expect(() => check(ahead)).toThrow();
  const own = await readOwnCredential({ name: 'm1', dataDir }, clock.wall(), () => recoverManager(parts(), settings()));
  expect(check(own.current)).toBe('manager/m1');
});

test('a certificate from the store that is not valid yet stays: the clock is behind', async () => {
  clock.stepWall(-62 * 24 * 3_600_000);
  const recover = () => Promise.reject(new Error('must not be asked'));
  const own = await readOwnCredential({ name: 'm1', dataDir }, clock.wall(), recover);
  expect(() => check(own.current)).toThrow('is valid from');
});

test('a valid certificate stays', async () => {
  clock.stepWall(-31 * 24 * 3_600_000);
  const recover = () => Promise.reject(new Error('must not be asked'));
  const own = await readOwnCredential({ name: 'm1', dataDir }, clock.wall(), recover);
  expect(check(own.current)).toBe('manager/m1');
});

test('an operator gets a credential, too', async () => {
  const made = await recoverOperator(parts(), settings(), 'mary' as Name, () => operatorDir);
  expect(made.directory).toBe(operatorDir);
  expect(check(await readCredential(operatorDir))).toBe('operator/mary');
});

test('a manager that is locked needs the unlock key', async () => {
  const file = await readSealingKey(dataDir);
  if (file?.state !== 'open') throw new Error('the manager is locked');
  const unlockKey = createSealingKey(random);
  await writeSealingKey(dataDir, lock(openFile(file.cluster, [file.key]), unlockKey, random));
  await expect(recoverManager(parts(), settings())).rejects.toMatchObject({ code: 'unlock-key-missing' });
  const unlockKeyFile = join(dataDir, '..', 'unlock-key');
  await writeFile(unlockKeyFile, `${formatUnlockKey(unlockKey)}\n`, { mode: 0o600 });
  expect(check(await recoverManager(parts(), { dataDir, unlockKeyFile }))).toBe('manager/m1');
});

test('without the CA on the disk, the error says what to do', async () => {
  await removeFounding(dataDir);
  await expect(recoverManager(parts(), settings())).rejects.toMatchObject({
    code: 'certificate-expired',
    message: expect.stringMatching(
      /^the certificate of this manager is valid from .* has no ca\.json, .*"causeway join" again/,
    ),
  });
});

test('without the CA on the disk, an operator gets another remedy', async () => {
  await removeFounding(dataDir);
  const recovering = recoverOperator(parts(), settings(), 'mary' as Name, () => operatorDir);
  await expect(recovering).rejects.toThrow(
    /^no certificate of mary can be made here, and .* has no ca\.json, .*: run this command on a manager that has this file/,
  );
});

test('a manager that runs keeps the CA on its disk, as it is now', async () => {
  const cluster = new MemoryCluster({ hasCa: true });
  const { manager } = await cluster.startManager('m1');
  const stop = keepCa({ view: manager.view, log }, dataDir);
  await expect.poll(() => readKeptCa(dataDir)).toMatchObject({ ca: { generation: 1 } });
  const { id } = manager.view.cluster ?? {};
  expect((await readKeptCa(dataDir))?.clusterId).toBe(id);
  stop();
  await cluster.stop();
});
