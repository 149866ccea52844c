import { CausewayError, type ClusterId, unwrap } from '@causeway/model';
import { type Random, randomId } from '@causeway/runtime';
import { metaCodec } from '../store/codec.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { Cluster } from '../store/view.ts';

/** Of the records as this version writes them. */
export const schema = 1;

export interface BootstrapParts {
  readonly store: Pick<Store, 'get' | 'txn'>;
  readonly keys: Keys;
  readonly random: Random;
}

/**
 * The cluster this store belongs to; the first manager ever makes it. However many start at once, one identity wins.
 * @throws CausewayError schema-unsupported when a newer version has written; store-unavailable, timed-out: call again
 */
export async function bootstrapCluster({ store, keys, random }: BootstrapParts): Promise<Cluster> {
  const { kv } = await store.get(keys.meta);
  if (kv === undefined) {
    const fresh = { clusterId: randomId(random) as ClusterId, epoch: 1n, schema };
    const { succeeded } = await store.txn(
      [{ kind: 'absent', key: keys.meta }],
      [{ kind: 'put', key: keys.meta, value: metaCodec.encode(fresh) }],
    );
    if (succeeded) return { id: fresh.clusterId, epoch: fresh.epoch };
    return await bootstrapCluster({ store, keys, random });
  }
  const { value: meta } = unwrap(metaCodec.decode(kv.value));
  if (meta.schema > schema) {
    const message = `the store has records of schema ${meta.schema}, this manager knows ${schema}: start a newer version`;
    throw new CausewayError('schema-unsupported', message, { schema: meta.schema, known: schema });
  }
  return { id: meta.clusterId, epoch: meta.epoch };
}
