import type { SealingKeyFile } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { Custody } from '../cluster/ca/custody.ts';
import { addOperator, foundCluster, type NewCluster } from '../cluster/ca/founding.ts';

/** A cluster of the manager m1 and the operator "ops". `now`: Unix ms. */
export function foundTestCluster(now: number): NewCluster {
  const clusterId = 'c1c1c1c1c1c1c1c1' as ClusterId;
  const life = minutes(30 * 24 * 60);
  const parts = { createKey, random: new SeededRandom(1), now };
  const made = foundCluster(parts, { clusterId, manager: 'm1', hosts: ['127.0.0.1'], life });
  return { ...made, founding: addOperator(parts, made, 'ops').founding };
}

/** The custody of a manager whose disk never fails. `file`: what is on the disk; absent: the manager is not locked. */
export function custodyOf(
  { founding: { clusterId: cluster }, sealingKey: key }: NewCluster,
  file: SealingKeyFile = { cluster, state: 'open', key },
): Custody {
  return new Custody({ keep: async () => undefined, createKey, log: new MemoryLog() }, file);
}
