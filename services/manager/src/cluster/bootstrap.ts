import { type ClusterId, unwrap } from '@causeway/model';
import { type Random, randomId } from '@causeway/runtime';
import type { Keys } from '../store/keys.ts';
import type { Meta } from '../store/records/cluster.ts';
import { records } from '../store/records/index.ts';
import type { Store } from '../store/store.ts';
import { clusterMismatch } from './cluster-watch.ts';

interface BootstrapParts {
  readonly store: Pick<Store, 'get' | 'txn'>;
  readonly keys: Keys;
  readonly random: Random;
}

interface BootstrapSettings {
  /** Schema of the records of a cluster that begins here. */
  readonly schema: number;
  /** The cluster that this manager belongs to; absent: the manager takes the cluster that the store holds. */
  readonly clusterId?: ClusterId;
}

/**
 * The cluster that this store belongs to. The first manager of all creates it. However many managers start at once, one
 * identity wins.
 * @throws CausewayError store-unavailable, timed-out: call again; cluster-mismatch
 */
export async function bootstrapCluster(
  { store, keys, random }: BootstrapParts,
  settings: BootstrapSettings,
): Promise<Meta> {
  const { schema, clusterId: own } = settings;
  const { kv } = await store.get(keys.meta);
  const found = kv === undefined ? undefined : unwrap(records.meta.codec.decode(kv.value)).value;
  if (own !== undefined && found?.clusterId !== own) throw clusterMismatch(own, found?.clusterId);
  if (found !== undefined) return found;
  const fresh = { clusterId: randomId(random) as ClusterId, epoch: 1n, schema };
  const { succeeded } = await store.txn(
    [{ kind: 'absent', key: keys.meta }],
    [{ kind: 'put', key: keys.meta, value: records.meta.codec.encode(fresh) }],
  );
  return succeeded ? fresh : await bootstrapCluster({ store, keys, random }, settings);
}
