import type { ClusterId } from '@causeway/model';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { createKeys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { records } from '../store/records/index.ts';
import { foundTestCluster } from '../testing/founded-cluster.ts';
import { bootstrapCluster } from './bootstrap.ts';

const schema = 1;

const keys = createKeys();

function stores(count: number): MemoryStore[] {
  const clock = new FakeClock();
  const backend = new MemoryBackend({ clock });
  return Array.from({ length: count }, () => new MemoryStore({ clock, backend }));
}

describe('bootstrapCluster', () => {
  test('however many begin at once, one identity wins and stays', async () => {
    const all = stores(5);
    const clusters = await Promise.all(
      all.map((store, i) => bootstrapCluster({ store, keys, random: new SeededRandom(i) }, { schema })),
    );
    expect(new Set(clusters.map(({ clusterId }) => clusterId)).size).toBe(1);
    expect(clusters[0]?.epoch).toBe(1n);
    const [store] = all;
    if (store === undefined) throw new Error('no store');
    expect(await bootstrapCluster({ store, keys, random: new SeededRandom(99) }, { schema })).toEqual(clusters[0]);
  });

  test('a cluster begins with its CA and its first certificates, however often its manager starts', async () => {
    const [store] = stores(1);
    if (store === undefined) throw new Error('no store');
    const { founding } = foundTestCluster(1_800_000_000_000);
    const parts = { store, keys, random: new SeededRandom(1) };
    const cluster = await bootstrapCluster(parts, { schema, founding });
    expect(cluster).toEqual({ clusterId: founding.clusterId, epoch: 1n, schema });
    expect(await bootstrapCluster(parts, { schema, founding })).toEqual(cluster);
    expect(await bootstrapCluster(parts, { schema, clusterId: founding.clusterId })).toEqual(cluster);
    const { kv } = await store.get(keys.ca);
    expect(kv?.modRevision).toBe((await store.get(keys.meta)).kv?.modRevision);
    expect((await store.get(keys.certificate('operator', 'ops'))).kv).toBeDefined();
    expect((await store.get(keys.certificate('manager', 'm1'))).kv).toBeDefined();
  });

  test('a manager founds no cluster in the store of another', async () => {
    const [store] = stores(1);
    if (store === undefined) throw new Error('no store');
    const parts = { store, keys, random: new SeededRandom(1) };
    await bootstrapCluster(parts, { schema });
    const { founding } = foundTestCluster(1_800_000_000_000);
    await expect(bootstrapCluster(parts, { schema, founding })).rejects.toMatchObject({ code: 'cluster-mismatch' });
    expect((await store.get(keys.ca)).kv).toBeUndefined();
  });

  test('what a newer version has written stays', async () => {
    const [store] = stores(1);
    if (store === undefined) throw new Error('no store');
    const newer = { clusterId: '00000000000000c1' as ClusterId, epoch: 3n, schema: schema + 1 };
    await store.txn([], [{ kind: 'put', key: keys.meta, value: records.meta.codec.encode(newer) }]);
    expect(await bootstrapCluster({ store, keys, random: new SeededRandom(1) }, { schema })).toEqual(newer);
  });
});
