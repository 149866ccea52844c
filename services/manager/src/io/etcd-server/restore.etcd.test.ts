import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@causeway/runtime/io';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBackup } from '../../cluster/backup/create-backup.ts';
import type { BackupHeader } from '../../cluster/backup/format.ts';
import { bootstrapCluster } from '../../cluster/bootstrap.ts';
import { schema } from '../../cluster/schema.ts';
import { put, read, write } from '../../store/contract/act.ts';
import { createKeys } from '../../store/keys.ts';
import { etcdIdentity } from '../../testing/etcd-identity.ts';
import { EtcdStore } from '../etcd/store.ts';
import { etcdMissing, TestEtcd } from '../etcd/testing/index.ts';
import { findBinary } from './binary.ts';
import { createChecksum } from './checksum.ts';
import { EmbeddedEtcd } from './embedded-etcd.ts';
import { freePorts } from './free-ports.ts';
import { EtcdMaintenance } from './maintenance.ts';
import { restoreBackup } from './restore.ts';

const missing = (await etcdMissing()) ?? (await toolMissing());
const parts = { clock: systemClock, random: new SeededRandom(1), log: new MemoryLog() };
const keys = createKeys('/elsewhere/');

describe.skipIf(missing !== undefined)(`a backup${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let directory: string;
  let file: string;
  let header: BackupHeader;
  let clusterId: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'causeway-backup-'));
    file = join(directory, 'backup');
    const etcd = await TestEtcd.start();
    const store = new EtcdStore(parts, { endpoints: [etcd.url] });
    ({ clusterId } = await bootstrapCluster({ store, keys, random: parts.random }, { schema }));
    await write(store, put(keys.leader, 'the old one'), put('/elsewhere/kept', 'x'.repeat(200_000)));
    const backup = await createBackup(
      { ...parts, store, maintenance: new EtcdMaintenance(store.access), keys, createChecksum },
      '1.2.3',
      new AbortController().signal,
    );
    header = backup.header;
    await writeFile(file, backup.file);
    await write(store, put('/elsewhere/late'));
    await store.close();
    await etcd.stop();
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('says what it is of', () => {
    expect(header).toMatchObject({ clusterId, epoch: 1n, schema: 1, version: '1.2.3', prefix: '/elsewhere/' });
    expect(header.revision).toBeGreaterThan(1n);
    expect(Math.abs(header.time - systemClock.wall())).toBeLessThan(60_000);
  });

  it('becomes the cluster it was, in a later epoch, without a leader', async () => {
    const dataDir = join(directory, 'restored');
    const restored = await restoreBackup(parts, { file, dataDir, name: 'm9' });
    expect(restored.header).toEqual(header);
    expect(restored.epoch).toBeGreaterThan(1n);
    expect(await readdir(dataDir)).toEqual(['etcd']);
    const [clientPort = 0, peerPort = 0] = await freePorts(2);
    const { credentials, tls } = await etcdIdentity('m9', join(directory, 'identity'));
    const etcd = new EmbeddedEtcd({ ...parts, credentials }, { name: 'm9', dataDir, clientPort, peerPort, tls });
    await etcd.start();
    const store = new EtcdStore({ ...parts, credentials }, { endpoints: [etcd.endpoint] });
    expect(await bootstrapCluster({ store, keys, random: parts.random }, { schema })).toEqual({
      clusterId,
      epoch: restored.epoch,
      schema,
    });
    expect(await read(store, '/elsewhere/kept')).toHaveLength(200_000);
    expect(await read(store, '/elsewhere/late')).toBeUndefined();
    expect(await read(store, keys.leader)).toBeUndefined();
    expect(await store.members()).toMatchObject([{ name: 'm9', healthy: true }]);
    await store.close();
    await etcd.stop();
  });

  const damaged = async (name: string, damage: (bytes: Buffer) => Buffer): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, damage(await readFile(file)));
    return path;
  };

  it.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ['cut off', (bytes) => bytes.subarray(0, bytes.length - 1_000), /damaged or was cut off/],
    ['cut off in its header', (bytes) => bytes.subarray(0, 40), /is not a backup made by/],
    ['cut off after its header', (bytes) => bytes.subarray(0, bytes.indexOf('}\n') + 12), /damaged or was cut off/],
    [
      'of one bit more',
      (bytes) =>
        Buffer.concat([bytes.subarray(0, 50_000), Buffer.of((bytes[50_000] ?? 0) ^ 1), bytes.subarray(50_001)]),
      /checksum differs/,
    ],
    ['of something else', () => Buffer.from('hello\n'), /is not a backup made by/],
  ])('is refused when it is %s, and leaves nothing', async (name, damage, message) => {
    const dataDir = join(directory, `to-${name}`);
    const path = await damaged(name, damage);
    await expect(restoreBackup(parts, { file: path, dataDir, name: 'm1' })).rejects.toMatchObject({
      code: 'data-damaged',
      message: expect.stringMatching(message),
    });
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('is not put over an etcd that is there', async () => {
    const dataDir = join(directory, 'taken');
    await mkdir(join(dataDir, 'etcd'), { recursive: true });
    await expect(restoreBackup(parts, { file, dataDir, name: 'm1' })).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('it holds etcd data already'),
    });
  });

  it('says what to install when etcd’s tools are missing', async () => {
    const settings = { file, dataDir: join(directory, 'never'), name: 'm1' };
    await expect(restoreBackup({ ...parts, findTool: async () => undefined }, settings)).rejects.toMatchObject({
      code: 'capability-missing',
      message: expect.stringContaining('etcd-client'),
    });
  });

  it('names the file that cannot be read', async () => {
    const settings = { file: join(directory, 'none'), dataDir: join(directory, 'never'), name: 'm1' };
    await expect(restoreBackup(parts, settings)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('ENOENT'),
    });
  });
});

async function toolMissing(): Promise<string | undefined> {
  if (((await findBinary('etcdutl')) ?? (await findBinary('etcdctl'))) !== undefined) return undefined;
  const reason = 'no etcdutl found: apt-get install etcd-client';
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}
