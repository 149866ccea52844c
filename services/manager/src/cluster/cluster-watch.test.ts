import type { ClusterId } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createKeys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';
import { bootstrapCluster } from './bootstrap.ts';

const keys = createKeys();
const other = { clusterId: '00000000000000c1' as ClusterId, epoch: 1n, schema: 1 };
let cluster: MemoryCluster;

beforeEach(() => {
  cluster = new MemoryCluster();
});
afterEach(() => cluster.stop());

test('a manager whose store holds another cluster all at once is lost, and says which', async () => {
  const { manager, store } = await cluster.startManager();
  const own = manager.view.cluster?.id;
  await store.txn(
    [],
    [
      {
        kind: 'put',
        key: keys.meta,
        value: records.meta.codec.encode({ ...other, clusterId: own ?? other.clusterId, epoch: 2n }),
      },
    ],
  );
  await cluster.settle();
  expect(manager.lost.aborted).toBe(false);
  await store.txn([], [{ kind: 'put', key: keys.meta, value: records.meta.codec.encode(other) }]);
  await cluster.settle();
  expect(manager.lost.reason).toMatchObject({ code: 'cluster-mismatch', data: { own, found: other.clusterId } });
});

test('so is a manager whose store holds no cluster any more', async () => {
  const { manager, store } = await cluster.startManager();
  await store.txn([], [{ kind: 'delete', key: keys.meta }]);
  await cluster.settle();
  expect(manager.lost.reason).toMatchObject({ code: 'cluster-mismatch', data: { found: '' } });
});

test('a manager that belongs to a cluster founds none in an empty store, and joins no other', async () => {
  const { store } = await cluster.startManager();
  const own = '00000000000000c2' as ClusterId;
  const random = new SeededRandom(1);
  const begin = () => bootstrapCluster({ store, keys, random }, { schema: 1, clusterId: own });
  await expect(begin()).rejects.toMatchObject({ code: 'cluster-mismatch' });
  await store.txn([], [{ kind: 'delete', key: keys.meta }]);
  await expect(begin()).rejects.toMatchObject({ code: 'cluster-mismatch', data: { found: '' } });
  expect((await store.get(keys.meta)).kv).toBeUndefined();
});
