import { createPublicKey } from 'node:crypto';
import { type Credential, issueNode, issueRoot } from '@causeway/identity';
import { createKey, writeCredential } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import { randomId } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import { etcdIdentity } from '../commands.ts';
import { managersOf } from '../plan.ts';
import { rootOf } from './membership.ts';
import type { LabRecord } from './state.ts';

/**
 * Gives each host of a manager a credential for its etcd and for the manager as the etcd's client, as an operator would who runs etcd
 * apart from the managers. The key of their CA is forgotten.
 */
export async function issueEtcdIdentities(lab: LabRecord): Promise<void> {
  const cluster = randomId(cryptoRandom) as ClusterId;
  const issuing = { now: systemClock.wall(), random: cryptoRandom };
  const caKey = createKey();
  const root = issueRoot(cluster, caKey, issuing);
  for (const host of managersOf(lab.plan)) {
    const key = createKey();
    const holder = {
      name: { cluster, role: 'manager', id: host.name },
      key: createPublicKey(key),
      hosts: ['127.0.0.1', host.underlay],
    } as const;
    const certificate = issueNode({ certificate: root, key: caKey }, holder, issuing);
    const credential: Credential = { key, chain: [certificate], trust: [root] };
    await writeCredential(`${rootOf(lab, host)}${etcdIdentity}`, credential);
  }
}
