import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterId } from '@causeway/model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forgetClusterRecord, readClusterRecord, writeClusterRecord } from './cluster-record.ts';
import { checkDirectory } from './etcd-server/init-command.ts';

const record = { clusterId: '5b42ff9ac5239553' as ClusterId, etcdCluster: 'c1b475c492fd9968' };
let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'causeway-record-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

test('is read as it was written, and is gone when it was forgotten', async () => {
  expect(await readClusterRecord(dataDir)).toBeUndefined();
  await writeClusterRecord(dataDir, record);
  expect(await readClusterRecord(dataDir)).toEqual(record);
  await forgetClusterRecord(dataDir);
  await forgetClusterRecord(dataDir);
  expect(await readClusterRecord(dataDir)).toBeUndefined();
});

test.each(['', '{', 'null', '{"clusterId":"a1"}', '{"clusterId":"a1","etcdCluster":"x"}'])(
  'damaged is said, not taken for none: %j',
  async (text) => {
    await writeFile(join(dataDir, 'cluster.json'), text);
    await expect(readClusterRecord(dataDir)).rejects.toMatchObject({
      code: 'data-damaged',
      data: { path: join(dataDir, 'cluster.json') },
    });
  },
);

test('no cluster is founded in a directory that belongs to a cluster, also when its etcd is lost', async () => {
  await writeClusterRecord(dataDir, record);
  await expect(checkDirectory(dataDir)).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining('belongs to cluster 5b42ff9ac5239553'),
  });
  expect(await readdir(dataDir)).toEqual(['cluster.json']);
});
