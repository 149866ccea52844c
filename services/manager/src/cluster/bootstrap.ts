import { type ClusterId, unwrap } from '@causeway/model';
import { type Random, randomId } from '@causeway/runtime';
import type { Keys } from '../store/keys.ts';
import type { Ca } from '../store/records/ca.ts';
import type { CertificateRecord } from '../store/records/certificate.ts';
import type { Meta } from '../store/records/cluster.ts';
import { records } from '../store/records/index.ts';
import type { Store, Write } from '../store/store.ts';
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
  /** The cluster that this manager founds; absent: a cluster without a CA. */
  readonly founding?: Founding;
}

/** What a cluster begins with: made before its store exists, and kept on the disk of the manager that founds the cluster. */
export interface Founding {
  readonly clusterId: ClusterId;
  readonly ca: Ca;
  /** Those of the first manager and the first operator. */
  readonly certificates: readonly CertificateRecord[];
}

/**
 * The cluster that this store belongs to. The first manager of all creates it, with its CA in the same transaction. However
 * many managers start at once, one identity wins.
 * @throws CausewayError store-unavailable, timed-out: call again; cluster-mismatch
 */
export async function bootstrapCluster(
  { store, keys, random }: BootstrapParts,
  settings: BootstrapSettings,
): Promise<Meta> {
  const { schema, founding, clusterId: joined } = settings;
  const own = joined ?? founding?.clusterId;
  const { kv } = await store.get(keys.meta);
  const found = kv === undefined ? undefined : unwrap(records.meta.codec.decode(kv.value)).value;
  // A cluster that is being founded has no record yet. A cluster that the manager belongs to must have one.
  const isOther = own !== undefined && (found === undefined ? joined !== undefined : found.clusterId !== own);
  if (isOther) throw clusterMismatch(own, found?.clusterId);
  if (found !== undefined) return found;
  const fresh = { clusterId: own ?? (randomId(random) as ClusterId), epoch: 1n, schema };
  const { succeeded } = await store.txn(
    [{ kind: 'absent', key: keys.meta }],
    [
      { kind: 'put', key: keys.meta, value: records.meta.codec.encode(fresh) },
      ...(founding === undefined ? [] : firstRecords(founding, keys)),
    ],
  );
  return succeeded ? fresh : await bootstrapCluster({ store, keys, random }, settings);
}

function firstRecords({ ca, certificates }: Founding, keys: Keys): readonly Write[] {
  const first = certificates.map((certificate): Write => {
    const key = keys.certificate(certificate.role, certificate.id);
    return { kind: 'put', key, value: records.certificate.codec.encode(certificate) };
  });
  return [{ kind: 'put', key: keys.ca, value: records.ca.codec.encode(ca) }, ...first];
}
