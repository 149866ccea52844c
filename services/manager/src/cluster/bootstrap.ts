import { type ClusterId, unwrap } from '@causeway/model';
import { type Random, randomId } from '@causeway/runtime';
import { type Meta, metaCodec } from '../store/codec.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';

export interface BootstrapParts {
  readonly store: Pick<Store, 'get' | 'txn'>;
  readonly keys: Keys;
  readonly random: Random;
}

export interface BootstrapSettings {
  /** Of the records of a cluster that begins here. */
  readonly schema: number;
}

/**
 * The cluster this store belongs to; the first manager ever makes it. However many start at once, one identity wins.
 * @throws CausewayError store-unavailable, timed-out: call again
 */
export async function bootstrapCluster(
  { store, keys, random }: BootstrapParts,
  { schema }: BootstrapSettings,
): Promise<Meta> {
  const { kv } = await store.get(keys.meta);
  if (kv !== undefined) return unwrap(metaCodec.decode(kv.value)).value;
  const fresh = { clusterId: randomId(random) as ClusterId, epoch: 1n, schema };
  const { succeeded } = await store.txn(
    [{ kind: 'absent', key: keys.meta }],
    [{ kind: 'put', key: keys.meta, value: metaCodec.encode(fresh) }],
  );
  return succeeded ? fresh : await bootstrapCluster({ store, keys, random }, { schema });
}
