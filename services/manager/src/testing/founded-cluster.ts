import { createKey } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import type { Custody } from '../cluster/ca/custody.ts';
import { foundCluster, type NewCluster } from '../cluster/ca/founding.ts';

/** A cluster of the manager m1 and the operator "ops". `now`: Unix ms. */
export function foundTestCluster(now: number): NewCluster {
  const clusterId = 'c1c1c1c1c1c1c1c1' as ClusterId;
  const life = minutes(30 * 24 * 60);
  const settings = { clusterId, manager: 'm1', hosts: ['127.0.0.1'], operator: 'ops', life };
  return foundCluster({ createKey, random: new SeededRandom(1), now }, settings);
}

/** A manager that is not locked. */
export function custodyOf({ founding: { clusterId: cluster }, sealingKey: key }: NewCluster): Custody {
  return { sealingKey: key, file: { cluster, state: 'open', key } };
}
